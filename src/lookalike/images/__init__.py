"""Files and bytes -> upright RGB pictures."""
