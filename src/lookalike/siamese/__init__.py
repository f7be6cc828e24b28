"""Learning with torch: anchor, positive, negative, and a network that brings the first two together.

On arrays, not collections: anyone with a matrix of features and their groups can use it. Read it in the order
pairs, batches, miners, losses, training, correction; what happens on the way is in reports and watch. The deep tier is
in unfreeze, after cuts (graphs, towers), activations and checkpoints; the Keras example's whole way in recipes and
keras_siamese.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.siamese.batches import Batch, batches, steps_per_epoch
    from lookalike.siamese.correction import Correction, Settings, correct
    from lookalike.siamese.embedding import embed
    from lookalike.siamese.keras_siamese import KerasSiamese
    from lookalike.siamese.losses import (
        MultiPositiveSoftmax,
        SoftMarginTripletLoss,
        TripletLoss,
        multi_positive_softmax,
        soft_margin_triplet_loss,
        triplet_loss,
    )
    from lookalike.siamese.miners import all_triplets, batch_hard, random_negatives, semi_hard
    from lookalike.siamese.networks import LowRank, tutorial_head
    from lookalike.siamese.recipes import Epoch, RecipeSettings
    from lookalike.siamese.reports import Learned, Report, curves_arguments, curves_csv
    from lookalike.siamese.training import TUTORIAL, train
    from lookalike.siamese.twins import twin
    from lookalike.siamese.unfreeze import DeepCost, DeepSettings, Unfreezing
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("learning with torch", "learn") from None

__all__ = [
    "TUTORIAL",
    "Batch",
    "Correction",
    "DeepCost",
    "DeepSettings",
    "Epoch",
    "KerasSiamese",
    "Learned",
    "LowRank",
    "MultiPositiveSoftmax",
    "RecipeSettings",
    "Report",
    "Settings",
    "SoftMarginTripletLoss",
    "TripletLoss",
    "Unfreezing",
    "all_triplets",
    "batch_hard",
    "batches",
    "correct",
    "curves_arguments",
    "curves_csv",
    "embed",
    "multi_positive_softmax",
    "random_negatives",
    "semi_hard",
    "soft_margin_triplet_loss",
    "steps_per_epoch",
    "train",
    "triplet_loss",
    "tutorial_head",
    "twin",
]
