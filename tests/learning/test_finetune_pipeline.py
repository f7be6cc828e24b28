"""Fine-tuning in a run folder: one way for each method, and a network that is kept because it was asked for."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from support import drawn_convolutions
from support.recording import Recording

from lookalike import Backbone
from lookalike.errors import Cancelled, LensError
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.config import FineTune, KerasSiamese, LearnConfig, LowRank
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.finetune_pipeline import FinetunePipeline, create_fine_tuner
from lookalike.learning.labelled_features import LabelledFeatures

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "bundle"
    return Backbone(drawn_convolutions.write_bundle(folder, **drawn_convolutions.COARSE), precision="f32")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """60 pairs of stripes as files, and their labels."""
    folder = tmp_path_factory.mktemp("images")
    arrays, labels = drawn_convolutions.pictures(60, 2)
    paths = [folder / f"{number}.png" for number in range(len(arrays))]
    for array, path in zip(arrays, paths, strict=True):
        Image.fromarray(array).save(path)
    return paths, np.asarray(labels)


def features_by(backbone, images):
    paths, labels = images
    content = tuple(path.read_bytes() for path in paths)
    data = LabelledFeatures.create(backbone.embed(paths), labels, content=content)
    return FeatureSet(data, tuple(paths), content, ())


def pipeline(base, images, folder: Path, **method):
    config = LearnConfig(KerasSiamese(layer="stem", quick=True, **method))
    (folder / "bundles").mkdir(exist_ok=True)
    return FinetunePipeline(base, features_by(base, images), config, folder / "run", folder / "bundles")


def test_a_network_that_proves_worse_is_left_out_and_kept_where_that_is_asked_for(base, images, tmp_path):
    """One epoch at a rate of 1e-6 leaves the head as random as it was: it answers fewer queries than a lens."""
    how = {"epochs": 1, "learning_rate": 1e-6}
    one = pipeline(base, images, tmp_path, **how)
    tuned = one.train()
    features = features_by(tuned, images)
    left_out = one.prove(tuned, features)
    assert left_out.lens.settings["backbone"] == base.id
    assert any("the recipe keras-siamese was tried and left out" in note for note in left_out.proof.notes)
    kept = pipeline(base, images, tmp_path, keep=True, **how).prove(tuned, features)
    assert kept.lens.settings["backbone"] == tuned.id != base.id
    assert_array_equal(kept.lens.matrix, np.eye(256))
    assert_array_equal(kept.lens.mean, np.zeros(256))
    proof = kept.proof
    assert (proof.verdict, proof.serves) == ("refused", False)
    assert proof.results["lens"] == proof.results["tuned backbone"]
    assert proof.results["lens"].recall_at_1 < left_out.proof.results["lens"].recall_at_1
    assert "was kept because --anyway asked for it" in proof.notes[-1]
    assert not any("left out" in note for note in proof.notes)


def test_what_is_cancelled_can_be_continued_and_leaves_no_half_bundle(base, images, tmp_path):
    class Cancelling(Recording):
        def progress(self, progress):
            super().progress(progress)
            if progress.stage == "tuning" and progress.done == 2:
                raise Cancelled("now")

    one = pipeline(base, images, tmp_path, epochs=2)
    assert not one.interrupted()
    with pytest.raises(Cancelled):
        one.train(Cancelling())
    assert one.interrupted()
    assert list((tmp_path / "bundles").iterdir()) == []
    told = Recording()
    tuned = pipeline(base, images, tmp_path, epochs=2).train(told)
    assert "caching" not in told.stages  # what was cached is there still
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [tuned.id]
    one.clean()
    assert not one.interrupted()


def test_each_method_has_its_way_and_a_lens_alone_has_none(base, images, tmp_path):
    paths, labels = images
    data = LabelledFeatures.create(np.eye(len(labels)), labels)
    made = {
        type(create_fine_tuner(base.bundle, paths, data, LearnConfig(method), tmp_path)).__name__
        for method in (FineTune("head"), KerasSiamese("stem"))
    }
    assert made == {"LayerFineTuner", "KerasSiameseFineTuner"}
    with pytest.raises(LensError, match="leaves the backbone as it is"):
        create_fine_tuner(base.bundle, paths, data, LearnConfig(LowRank()), tmp_path)


def test_a_tuned_backbone_has_to_beat_what_search_has_without_examples(base, images, tmp_path):
    """Here that is a lens which has seen the held-out pictures' labels: nothing is surely better."""
    features = features_by(base, images)
    own = ClosedFormTrainer().fit(features.data)
    config = LearnConfig(FineTune("head", epochs=1, quick=True))
    (tmp_path / "bundles").mkdir()
    one = FinetunePipeline(base, features, config, tmp_path / "run", tmp_path / "bundles", own=own)
    tuned = one.train()
    result = one.prove(tuned, features_by(tuned, images))
    assert result.proof.own is not None
    assert not result.proof.own.better
    assert not result.proof.serves
    assert result.lens.settings["backbone"] == base.id
