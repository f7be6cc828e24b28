"""Where a training stands, on disk: all that it takes to go on as if it had never been broken off."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lookalike.errors import TrainingError
from lookalike.files import atomic_write
from lookalike.learning.training.history import StepMetrics
from lookalike.learning.training.miners import SemiHardWarmup
from lookalike.learning.training.trainer_state import TrainerState


def save_checkpoint(state: TrainerState, path: Path) -> None:
    """Write everything that changes in training, whole or not at all.

    Args:
        state: between two steps.
        path: of the file, safetensors.
    """
    from safetensors.torch import save

    optimizer = state.optimizer.state_dict()
    tensors: dict[str, Tensor] = {"randomness": state.randomness.state}
    for part, weights in (
        ("network", state.network.state_dict()),
        ("loss", state.loss_weights.state_dict()),
        ("learned", state.best.parameters),
    ):
        tensors |= {f"{part}/{name}": x for name, x in weights.items()}
    numbers: dict[str, dict[str, Any]] = {}
    for one, kept in optimizer["state"].items():
        tensors |= {f"optimizer/{one}/{name}": x for name, x in kept.items() if isinstance(x, Tensor)}
        numbers[str(one)] = {name: x for name, x in kept.items() if not isinstance(x, Tensor)}
    table = {
        "about": state.key,
        "step": state.step,
        "finished": state.finished,
        "images": state.images,
        "elapsed_s": state.elapsed_s,
        "optimizer": {"numbers": numbers, "groups": optimizer["param_groups"]},
        "watch": vars(state.monitor),
        "learned": {"step": state.best.step, "validation": state.best.validation},
        "curve": [asdict(one) for one in state.best.curve],
        "generators": [one.bit_generator.state for one in state.generators],
    }
    # Copies: two names of one tensor are no file of safetensors.
    whole = {name: x.detach().cpu().clone().contiguous() for name, x in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, save(whole, {"standing": json.dumps(table)}))


def restore_checkpoint(state: TrainerState, path: Path) -> None:
    """Go back to where `save_checkpoint` was called.

    Args:
        state: of the same training, as it was created.
        path: of the file.
    Raises: TrainingError, when the file is damaged or of another training.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            table = json.loads(file.metadata()["standing"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError(f"{path}: no checkpoint that can be read ({error}). Delete it to start anew.") from error
    if table["about"] != state.key:
        other = sorted(key for key in state.key if state.key[key] != table["about"].get(key))
        raise TrainingError(
            f"{path}: a checkpoint of another training ({', '.join(other)} differ). Delete it to start anew."
        )

    def part(name: str) -> dict[str, Tensor]:
        return {key.removeprefix(f"{name}/"): x for key, x in tensors.items() if key.startswith(f"{name}/")}

    state.network.load_state_dict(part("network"))
    state.loss_weights.load_state_dict(part("loss"))
    numbers = table["optimizer"]["numbers"]
    kept = {int(one): {**numbers[one], **part(f"optimizer/{one}")} for one in numbers}
    state.optimizer.load_state_dict({"state": kept, "param_groups": table["optimizer"]["groups"]})
    for weight, moments in state.optimizer.state.items():
        for name, x in moments.items():
            if isinstance(x, Tensor) and x.shape == weight.shape:
                # Laid out as the weight is: fused optimizers go through both memories side by side.
                moments[name] = torch.empty_like(weight).copy_(x)
    state.randomness.state = tensors["randomness"]
    vars(state.monitor).update(table["watch"])
    state.best.parameters = part("learned")
    state.best.step, state.best.validation = table["learned"]["step"], table["learned"]["validation"]
    state.best.curve[:] = [StepMetrics(**one) for one in table["curve"]]
    for generator, one in zip(state.generators, table["generators"], strict=True):
        generator.bit_generator.state = one
    state.step, state.finished = table["step"], table["finished"]
    state.images, state.elapsed_s = table["images"], table["elapsed_s"]
    for _ in range(state.step):  # batches are drawn anew up to there
        next(state.batches)
    if isinstance(state.miner, SemiHardWarmup):
        state.miner.done = state.step
