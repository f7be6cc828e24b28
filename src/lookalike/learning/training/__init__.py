"""Learning with torch on arrays: anchor, positive, negative, and a network that brings the first two together.

Anyone with a matrix of features and their labels can use it. Read it in this order: training_labels, batch_sampler,
distances, miners, losses, networks, config, trainer_state, trainer, low_rank_trainer; history, collapse_monitor and
checkpoint are what training keeps.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.learning.training.batch_sampler import Batch, batches, steps_per_epoch
    from lookalike.learning.training.config import (
        KERAS_EXAMPLE,
        CheckpointConfig,
        LowRankConfig,
        TrainConfig,
        Validation,
    )
    from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics, curves_arguments, curves_csv
    from lookalike.learning.training.losses import (
        MultiPositiveSoftmax,
        SoftMarginTripletLoss,
        TripletLoss,
        multi_positive_softmax,
        soft_margin_triplet_loss,
        triplet_loss,
    )
    from lookalike.learning.training.low_rank_trainer import LowRankRun, LowRankTrainer, correct
    from lookalike.learning.training.miners import all_triplets, batch_hard, random_negatives, semi_hard
    from lookalike.learning.training.networks import LowRank, keras_example_head
    from lookalike.learning.training.trainer import train, train_steps
    from lookalike.learning.training.trainer_state import TrainerState
    from lookalike.learning.training.training_labels import TrainingLabels
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("learning with torch", "learn") from None

__all__ = [
    "KERAS_EXAMPLE",
    "Batch",
    "BestState",
    "CheckpointConfig",
    "EpochMetrics",
    "LowRank",
    "LowRankConfig",
    "LowRankRun",
    "LowRankTrainer",
    "MultiPositiveSoftmax",
    "SoftMarginTripletLoss",
    "StepMetrics",
    "TrainConfig",
    "TrainerState",
    "TrainingLabels",
    "TripletLoss",
    "Validation",
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
    "train_steps",
    "triplet_loss",
]
