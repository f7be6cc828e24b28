"""Learning with torch on arrays: anchor, positive, negative, and a network that brings the first two together.

Anyone with a matrix of features and their labels can use it. Read it in this order: distances, batch_sampler, miners,
losses, networks, trainer, low_rank_trainer; history, collapse_monitor and checkpoint are what the trainer keeps.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.learning.training.batch_sampler import Batch, batches, steps_per_epoch
    from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics, curves_arguments, curves_csv
    from lookalike.learning.training.losses import (
        MultiPositiveSoftmax,
        SoftMarginTripletLoss,
        TripletLoss,
        multi_positive_softmax,
        soft_margin_triplet_loss,
        triplet_loss,
    )
    from lookalike.learning.training.low_rank_trainer import LowRankConfig, LowRankTrainer, correct
    from lookalike.learning.training.miners import all_triplets, batch_hard, random_negatives, semi_hard
    from lookalike.learning.training.networks import LowRank, keras_example_head
    from lookalike.learning.training.trainer import KERAS_EXAMPLE, train
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("learning with torch", "learn") from None

__all__ = [
    "KERAS_EXAMPLE",
    "Batch",
    "BestState",
    "EpochMetrics",
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
    "keras_example_head",
    "multi_positive_softmax",
    "random_negatives",
    "semi_hard",
    "soft_margin_triplet_loss",
    "steps_per_epoch",
    "train",
    "triplet_loss",
]
