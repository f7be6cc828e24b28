"""How options become a LearnConfig, from Python and from the shell."""

import pytest

from lookalike.errors import LookalikeError
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
