"""Features and labels drawn so that it is known what a lens must do, and trainers whose lens is known before."""

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

F = 24
LOUD, QUIET = range(8), range(8, F)


def world(
    groups: int = 40, each: int = 4, loud: float = 2.0, kinds: float = 0.8, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Labels differ in features 8 to 23; features 0 to 7 vary `loud` within labels, and say nothing of them."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(groups), each)
    quiet = np.arange(F) >= 8
    centres = rng.standard_normal((groups, F)) * np.where(quiet, kinds, 0.0)
    x = centres[labels] + rng.standard_normal((len(labels), F)) * np.where(quiet, 0.6, loud)
    return x.astype(np.float32), labels


def only(features: range) -> Lens:
    """A lens that reads these features alone."""
    return Lens("only", np.zeros(F, np.float32), np.eye(F, dtype=np.float32)[:, features])


class Fixed:
    """A trainer whose lens is the same whatever it is given; it keeps what it was given."""

    def __init__(self, lens: Lens):
        self.lens = lens
        self.data: list[LabelledFeatures] = []
        self.starts: list[Lens | None] = []

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """The lens."""
        self.data.append(data)
        self.starts.append(start)
        return self.lens
