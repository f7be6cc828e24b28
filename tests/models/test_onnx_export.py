"""Backbone and lens in one ONNX file, run by onnxruntime beside our own features and embedding."""

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose
from support import drawn_convolutions

from lookalike.errors import BundleError
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle
from lookalike.models.lens import Lens
from lookalike.models.onnx_export import onnx_model

IMAGES = np.stack(drawn_convolutions.pictures(3, 2)[0])
RNG = np.random.default_rng(0)
LENS = Lens("pattern", RNG.random(20) / 9, RNG.standard_normal((20, 5)))


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    """Two outputs of stages, one with a softened root."""
    return drawn_convolutions.write_bundle(tmp_path / "own")


def run(content: bytes, images: np.ndarray) -> np.ndarray:
    session = pytest.importorskip("onnxruntime").InferenceSession(content)
    return session.run(["embedding"], {session.get_inputs()[0].name: images})[0]


def test_the_file_gives_the_features_and_the_embedding_that_the_library_gives(bundle):
    features = Backbone(bundle, precision="f32").embed(list(IMAGES))
    assert_allclose(run(onnx_model(bundle, None), IMAGES), features, atol=1e-5)
    found = run(onnx_model(bundle, LENS), IMAGES)
    assert_allclose(found, LENS.apply(features), atol=1e-4)
    assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_any_number_of_pictures_is_taken(bundle):
    content = onnx_model(bundle, LENS)
    assert_allclose(run(content, IMAGES[:1]), run(content, IMAGES)[:1], atol=1e-5)


def test_what_the_file_wants_stands_in_its_metadata(bundle):
    model = onnx.load_from_string(onnx_model(bundle, LENS))
    about = {one.key: one.value for one in model.metadata_props}
    assert about["side_px"] == str(bundle.side_px)
    assert (about["backbone"], about["lens"]) == (bundle.id, "pattern")
    assert "uint8 RGB" in about["input"]


def test_a_graph_too_old_to_be_joined_is_refused(bundle):
    model = onnx.load(bundle.model)
    model.opset_import[0].version = 12
    onnx.save(model, bundle.model)
    with pytest.raises(BundleError, match="opset 12; a lens can be joined to 13 and newer"):
        onnx_model(bundle, LENS)
