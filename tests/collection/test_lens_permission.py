"""What the proof of a lens allows, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from lookalike.collection.lens_permission import check_allowed, is_allowed, learned_cut, words_of
from lookalike.errors import LensError
from lookalike.learning import prove
from lookalike.learning.closed_form.label_free import label_free
from lookalike.models.lens import Lens
from lookalike.models.proof_parts import PairedTest

UNPROVED = Lens("mine", np.zeros(3), np.eye(3))
REFUSED = prove([[1, 0], [0, 1]], [0, 1])


def test_a_lens_from_pictures_alone_needs_no_proof_and_any_other_one_does():
    alone = label_free(np.eye(3))
    assert is_allowed(alone) and not is_allowed(UNPROVED)
    check_allowed(alone, anyway=False)
    check_allowed(None, anyway=False)
    check_allowed(UNPROVED, anyway=True)
    with pytest.raises(LensError, match=r"mine: Not proved\. To put it into service anyway, add --anyway"):
        check_allowed(UNPROVED, anyway=False)
    assert words_of(alone) == "Learned from your pictures alone. It makes no claim about kinds."


@pytest.mark.parametrize("upper, allowed", [(0.1, True), (-0.01, False)])
def test_parts_that_are_traced_no_better_refuse_nothing_and_surely_worse_ones_do(upper: float, allowed: bool):
    test = PairedTest(-0.02, -0.1, upper, 0.9, "bootstrap")
    proof = replace(REFUSED, verdict="refused", protocol=replace(REFUSED.protocol, hold_out="views"), test=test)
    assert is_allowed(replace(label_free(np.eye(3)), proof=proof)) == allowed
    assert not is_allowed(replace(UNPROVED, proof=proof))


def test_a_proof_that_was_made_decides():
    refused = replace(label_free(np.eye(3)), proof=REFUSED)
    assert not is_allowed(refused)
    assert words_of(refused) == REFUSED.words


@pytest.mark.parametrize("lens", [None, UNPROVED, replace(UNPROVED, proof=REFUSED)])
def test_without_a_learned_similarity_there_is_no_cut(lens: Lens | None):
    with pytest.raises(LensError, match="no similarity was learned with it"):
        learned_cut(lens)
