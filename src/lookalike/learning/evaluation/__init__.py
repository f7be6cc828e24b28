"""What a lens is worth on held-out queries: splits, metrics, tests, the proof."""
