"""Features stored, kept up to date with a folder, and searched."""
