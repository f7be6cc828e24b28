"""Which outputs of a network are pooled, how much they weigh, and what a bundle of the earlier version has."""

from dataclasses import replace

import numpy as np
import pytest
from support.elsewhere import pictures

from lookalike.errors import BundleError
from lookalike.models.bundle import StageOutput
from lookalike.models.convert import network

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from lookalike.models.convert.feature_extractor import blocks  # noqa: E402  (what follows loads torch)
from lookalike.models.convert.model_files import from_folder  # noqa: E402
from lookalike.models.convert.torch_to_onnx import run  # noqa: E402
from lookalike.models.convert.transformers_model import load, of_bundle  # noqa: E402


def test_the_depths_of_tokens_lie_after_half_and_three_quarters_of_the_blocks(from_transformers):
    """Four blocks: after three and after two; a network of four stages: after each but the last."""
    tokens, stages = (load(from_folder(from_transformers(kind)[0])) for kind in ("dinov2", "resnet"))
    assert tokens.names == ["features", "patches", "patches3.centre", "patches3.fall", "patches2"]
    assert stages.names == ["features", "stage3.centre", "stage3.fall", "stage2", "stage1"]
    weights = [(one.length, one.weight, one.lens_weight) for one in stages.depths]
    assert weights == [(40, 1, 1), (32, 0.5, 0.7), (32, 0.1, 0.35), (24, 0.5, 0.7), (16, 0.5, 0.7)]


def test_a_bundle_of_the_earlier_version_gives_the_depths_that_it_has(from_transformers):
    """Means alone, under their names: a network that is fine-tuned must fit what was indexed."""
    _, bundle = from_transformers("dinov2")
    means = tuple(StageOutput(name, 32, 0.5) for name in ("features", "patches", "patches3", "patches2"))
    earlier = of_bundle(replace(bundle, depths=means))
    asked = pictures(bundle.side_px, 2)
    assert [one.name for one in earlier.depths] == [one.name for one in means]
    ours = dict(zip(earlier.names, run(earlier, asked), strict=True))
    newer = dict(zip(network(bundle).names, run(network(bundle), asked), strict=True))
    assert "patches3" in ours and "patches3.fall" not in ours
    for name in ("features", "patches", "patches2"):
        np.testing.assert_array_equal(ours[name], newer[name])


def test_a_network_whose_blocks_are_elsewhere_is_refused():
    with pytest.raises(BundleError, match="Linear: its blocks are not where they were"):
        blocks(torch.nn.Linear(2, 2))
