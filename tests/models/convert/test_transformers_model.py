"""Networks of transformers as torch modules: their own hidden states, and what a bundle keeps of them."""

import numpy as np
import pytest
from support import drawn_convolutions
from support.elsewhere import pictures, witness

from lookalike.errors import BundleError
from lookalike.models.convert import network

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from lookalike.models.convert.torch_to_onnx import run  # noqa: E402  (what follows loads torch)
from lookalike.models.convert.transformers_model import of_bundle  # noqa: E402


def test_the_bundle_gives_the_same_network_in_torch(converted):
    kind, folder, bundle = converted
    asked = pictures(bundle.side_px, 2)
    for ours, theirs in zip(run(network(bundle), asked), witness(kind, folder, asked).values(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_a_bundle_without_weights_that_can_learn_is_refused(tmp_path):
    bundle = drawn_convolutions.write_bundle(tmp_path / "own")
    with pytest.raises(BundleError, match=r"has no weights that can learn .*config\.json"):
        of_bundle(bundle)
