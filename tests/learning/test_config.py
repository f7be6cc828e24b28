"""How options become a LearnConfig, from Python and from the shell."""

import numpy as np
import pytest

from lookalike.errors import LensError, LookalikeError
from lookalike.learning.config import ClosedForm, FineTune, KerasSiamese, LearnConfig, LowRank


def test_each_method_takes_its_own_options():
    made = LearnConfig.from_options
    assert made() == LearnConfig(LowRank())
    assert made(quick=True, dims=8, seed=3) == LearnConfig(ClosedForm(), dims=8, seed=3)
    assert made(loss="triplet", rate=0.1).method == LowRank(loss="triplet", learning_rate=0.1)
    assert made(unfreeze="stem", epochs=2, quick=True).method == FineTune("stem", epochs=2, quick=True)
    assert made(unfreeze=0).method == FineTune(0)
    recipe = made(recipe="keras-siamese", unfreeze="stem", epochs=3, anyway=True)
    assert recipe.method == KerasSiamese("stem", epochs=3, keep=True)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"quick": True, "epochs": 3}, "epochs"),
        ({"quick": True, "loss": "triplet"}, "loss"),
        ({"recipe": "keras-siamese", "margin": 0.5}, "margin"),
        ({"anyway": True}, "anyway"),
        ({"anyway": True, "unfreeze": "stem"}, "anyway"),
        ({"epoch": 3}, "epoch"),
    ],
)
def test_an_option_that_the_method_does_not_have_is_refused_by_name_in_one_line(options: dict, word: str):
    with pytest.raises(LookalikeError, match=rf"^{word}\b") as caught:
        LearnConfig.from_options(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": -1}, "seed -1: expected a whole number from 0 on"),
        ({"seed": 0.5}, "seed 0.5: expected a whole number"),
        ({"seed": True}, "seed True: expected a whole number"),
        ({"dims": -3}, "dims -3: expected a whole number from 1 on"),
        ({"epochs": -1}, "epochs -1: expected a whole number from 1 on"),
        ({"rate": -0.1}, "rate -0.1: expected a number above 0"),
        ({"rate": float("nan")}, "rate nan: expected a number above 0"),
        ({"margin": -1.0}, "margin -1.0: expected a number from 0 on"),
        ({"hold_out": "half"}, "hold_out 'half': expected 'groups' or 'pictures'"),
        ({"hold_out": np.array([1, 2])}, "hold_out array"),
        ({"loss": 3}, "loss 3: expected softmax, triplet, soft-margin"),
        ({"loss": "hinge"}, "loss 'hinge': expected softmax"),
        ({"loss": ["softmax"]}, r"loss \['softmax'\]: expected softmax"),
        ({"unfreeze": 1.5}, "unfreeze 1.5: expected the name of a layer or its index"),
        ({"unfreeze": True}, "unfreeze True: expected the name of a layer"),
        ({"unfreeze": ["stem"], "recipe": "keras-siamese"}, r"unfreeze \['stem'\]: expected"),
        ({"recipe": np.array([1, 2])}, "recipe array"),
        ({"margin": True}, "margin True: expected a number"),
    ],
)
def test_values_that_cannot_be_are_one_line(options: dict[str, object], said: str):
    with pytest.raises(LensError, match=said):
        LearnConfig.from_options(**options)


def test_numbers_of_numpy_are_numbers():
    made = LearnConfig.from_options(
        rate=np.float32(0.5), epochs=np.int64(3), unfreeze=np.int64(2), margin=np.float64(1)
    )
    assert made.method == FineTune(2, margin=1.0, epochs=3, learning_rate=0.5)


@pytest.mark.parametrize("method", ["softmax", LowRank, None, {"loss": "softmax"}])
def test_a_method_of_another_type_is_one_line(method: object):
    with pytest.raises(LensError, match=r"expected ClosedForm\(\), LowRank\(\), FineTune\(layer\)") as caught:
        LearnConfig(method)
    assert "\n" not in str(caught.value)
