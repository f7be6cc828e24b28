"""Learning with torch: anchor, positive, negative, and a network that brings the first two together.

On arrays, not collections: anyone with a matrix of features and their groups can use it. Read it in the order
pairs, batches, miners, losses, training, correction; what happens on the way is in reports and watch. The deep tier is
in unfreeze, after cuts (graphs, towers), activations and checkpoints; the Keras example's whole way in recipes and
keras_siamese.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.siamese.batches import Batch, batches, steps_per_epoch
    from lookalike.siamese.correction import LowRankConfig, LowRankTrainer, correct
    from lookalike.siamese.embedding import embed
    from lookalike.siamese.keras_siamese import KerasSiameseFineTuner
    from lookalike.siamese.losses import (
        MultiPositiveSoftmax,
        SoftMarginTripletLoss,
        TripletLoss,
        multi_positive_softmax,
        soft_margin_triplet_loss,
        triplet_loss,
    )
    from lookalike.siamese.miners import all_triplets, batch_hard, random_negatives, semi_hard
    from lookalike.siamese.networks import LowRank, keras_example_head
    from lookalike.siamese.recipes import EpochMetrics, KerasSiameseConfig
    from lookalike.siamese.reports import BestState, StepMetrics, curves_arguments, curves_csv
    from lookalike.siamese.training import KERAS_EXAMPLE, train
    from lookalike.siamese.twins import load_network
    from lookalike.siamese.unfreeze import FineTuneConfig, FineTuneCost, LayerFineTuner
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("learning with torch", "learn") from None

__all__ = [
    "KERAS_EXAMPLE",
    "Batch",
    "BestState",
    "EpochMetrics",
    "FineTuneConfig",
    "FineTuneCost",
    "KerasSiameseConfig",
    "KerasSiameseFineTuner",
    "LayerFineTuner",
    "LowRank",
    "LowRankConfig",
    "LowRankTrainer",
    "MultiPositiveSoftmax",
    "SoftMarginTripletLoss",
    "StepMetrics",
    "TripletLoss",
    "all_triplets",
    "batch_hard",
    "batches",
    "correct",
    "curves_arguments",
    "curves_csv",
    "embed",
    "keras_example_head",
    "load_network",
    "multi_positive_softmax",
    "random_negatives",
    "semi_hard",
    "soft_margin_triplet_loss",
    "steps_per_epoch",
    "train",
    "triplet_loss",
]
