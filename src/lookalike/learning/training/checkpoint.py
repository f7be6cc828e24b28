"""Where a learning stands, on disk: all that it takes to go on as if it had never been broken off."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.errors import TrainingError
from lookalike.files import atomic_write
from lookalike.learning.training.collapse_monitor import CollapseMonitor
from lookalike.learning.training.history import BestState, StepMetrics
from lookalike.learning.training.torch_context import Randomness


@dataclass
class TrainerState:
    """Everything that changes while a network learns.

    Attributes:
        network, loss, optimizer: what learns; a loss without weights is an empty module.
        learned, randomness, watch: of the loop.
        generators: of numpy, from which the loop draws beside the batches.
        about: what tells this learning from others; a checkpoint of another is refused.
        step: how many steps are done. Batches are drawn anew up to there.
        pictures, elapsed_s: seen so far, and in how many seconds.
    """

    network: nn.Module
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    learned: BestState
    randomness: Randomness
    watch: CollapseMonitor
    generators: list[np.random.Generator]
    about: dict[str, Any]
    step: int = 0
    pictures: int = 0
    elapsed_s: float = 0.0
    finished: bool = field(default=False)

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        from safetensors.torch import save

        optimizer = self.optimizer.state_dict()
        tensors: dict[str, Tensor] = {"randomness": self.randomness.state}
        for part, state in (
            ("network", self.network.state_dict()),
            ("loss", self.loss.state_dict()),
            ("learned", self.learned.parameters),
        ):
            tensors |= {f"{part}/{name}": x for name, x in state.items()}
        numbers: dict[str, dict[str, Any]] = {}
        for one, state in optimizer["state"].items():
            tensors |= {f"optimizer/{one}/{name}": x for name, x in state.items() if isinstance(x, Tensor)}
            numbers[str(one)] = {name: x for name, x in state.items() if not isinstance(x, Tensor)}
        table = {
            "about": self.about,
            "step": self.step,
            "finished": self.finished,
            "pictures": self.pictures,
            "elapsed_s": self.elapsed_s,
            "optimizer": {"numbers": numbers, "groups": optimizer["param_groups"]},
            "watch": vars(self.watch),
            "learned": {"step": self.learned.step, "recall": self.learned.recall},
            "curve": [asdict(one) for one in self.learned.curve],
            "generators": [one.bit_generator.state for one in self.generators],
        }
        # Copies: two names of one tensor are no file of safetensors.
        whole = {name: x.detach().cpu().clone().contiguous() for name, x in tensors.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, save(whole, {"standing": json.dumps(table)}))

    def restore(self, path: Path) -> None:
        """Go back to where `save` was called.

        Raises: TrainingError, when the file is damaged or of another learning.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as file:
                table = json.loads(file.metadata()["standing"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise TrainingError(
                f"{path}: no checkpoint that can be read ({error}). Delete it to start anew."
            ) from error
        if table["about"] != self.about:
            other = sorted(key for key in self.about if self.about[key] != table["about"].get(key))
            raise TrainingError(
                f"{path}: a checkpoint of another learning ({', '.join(other)} differ). Delete it to start anew."
            )

        def part(name: str) -> dict[str, Tensor]:
            return {key.removeprefix(f"{name}/"): x for key, x in tensors.items() if key.startswith(f"{name}/")}

        self.network.load_state_dict(part("network"))
        self.loss.load_state_dict(part("loss"))
        numbers = table["optimizer"]["numbers"]
        state = {int(one): {**numbers[one], **part(f"optimizer/{one}")} for one in numbers}
        self.optimizer.load_state_dict({"state": state, "param_groups": table["optimizer"]["groups"]})
        for weight, kept in self.optimizer.state.items():
            for name, x in kept.items():
                if isinstance(x, Tensor) and x.shape == weight.shape:
                    # Laid out as the weight is: fused optimizers go through both memories side by side.
                    kept[name] = torch.empty_like(weight).copy_(x)
        self.randomness.state = tensors["randomness"]
        vars(self.watch).update(table["watch"])
        self.learned.parameters = part("learned")
        self.learned.step, self.learned.recall = table["learned"]["step"], table["learned"]["recall"]
        self.learned.curve[:] = [StepMetrics(**one) for one in table["curve"]]
        for generator, one in zip(self.generators, table["generators"], strict=True):
            generator.bit_generator.state = one
        self.step, self.finished = table["step"], table["finished"]
        self.pictures, self.elapsed_s = table["pictures"], table["elapsed_s"]


def digest_of(*arrays: Any) -> str:
    """BLAKE2b of arrays, or of None, in their order: 32 hexadecimal digits.

    >>> digest_of(np.arange(2)) == digest_of(np.arange(2)) != digest_of(None, np.arange(2))
    True
    """
    total = hashlib.blake2b(digest_size=16)
    for one in arrays:
        x = None if one is None else np.ascontiguousarray(one)
        total.update(b"none" if x is None else f"{x.shape}{x.dtype}".encode() + x.tobytes())
    return total.hexdigest()
