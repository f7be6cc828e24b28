"""Pictures -> features (backbone) -> embedding (lens)."""
