"""Features of which some tell labels apart and others vary within them."""

import numpy as np

F = 24


def world(groups=40, each=4, loud=2.0, kinds_in_loud=0.0, kinds=0.8, seed=0):
    """Kinds differ in features 8 to 23; features 0 to 7 vary `loud` within groups."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    quiet = np.arange(F) >= 8
    centres = rng.standard_normal((groups, F)) * np.where(quiet, kinds, kinds_in_loud)
    return (centres[group] + rng.standard_normal((len(group), F)) * np.where(quiet, 0.6, loud)).astype(
        np.float32
    ), group
