"""Backbones that learn: from a layer on, by their cached activations, resumed to the bit, and written as bundles."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import drawn_convolutions, elsewhere

from lookalike import Backbone
from lookalike.errors import ExamplesError, ImageError, TrainingError
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner, load_network
from lookalike.learning.finetuning.activation_cache import ActivationCache, halve_on_oom
from lookalike.models.bundle import read
from lookalike.models.convert import convert

LEARN = FineTuneConfig(steps=60, rows=48, learning_rate=0.01, views=1, interpolation=1.0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def unfreezing(drawn, run, layer="stem", settings=LEARN, **other):
    pictures, group = drawn_convolutions.pictures(24, 6)
    return LayerFineTuner(drawn, pictures, group, layer=layer, run=run, settings=settings, **other)


def recall(bundle, seed=1):
    """On stripes of widths and slopes that were never learned."""
    pictures, group = drawn_convolutions.pictures(24, 6, seed=seed)
    rows = Backbone(bundle, precision="f32").embed(pictures)
    return recall_at_k(rows, rows, group, group, itself=np.arange(len(rows)))


def cosine(a, b):
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def curve(reports):
    return [(one.step, one.loss, one.active, one.spread, one.recall) for one in reports]


@pytest.fixture(scope="module")
def tuned(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    one = unfreezing(drawn, folder / "run")
    reports = list(one.steps())
    return one, reports, one.bundle(folder / "bundle")


def test_a_backbone_learns_what_tells_new_groups_apart(drawn, tuned):
    _, reports, bundle = tuned
    assert len(reports) == 60
    assert reports[-1].loss < 0.6 * reports[0].loss
    assert recall(bundle) > recall(drawn) + 0.15


def test_before_the_first_step_the_loss_is_that_of_the_closed_form(drawn, tmp_path):
    """Deeper never starts from nothing: its first embedding is the closed form's of the untouched features."""
    from lookalike.learning.closed_form.whitening import whiten

    pictures, group = drawn_convolutions.pictures(24, 6)
    one = unfreezing(drawn, tmp_path)
    for _ in one.cache():
        pass
    network = one._network().eval()
    with torch.no_grad():
        found = network(*(x.float() for x in one.activations[np.arange(8)])).numpy()
    features = Backbone(drawn, precision="f32").embed(pictures)
    last = features[:, :12] / np.linalg.norm(features[:, :12], axis=1, keepdims=True)
    expected = whiten(last, group).apply(last)[:8]
    assert cosine(found, expected).min() > 0.999  # activations are kept in float16
    assert cosine(found, last[:8] - last.mean(0)).min() < 0.99


def test_the_tuned_bundle_is_torchs_network_has_its_own_id_and_says_where_it_came_from(drawn, tuned):
    one, _, bundle = tuned
    again = read(bundle.path)
    assert again == bundle
    assert bundle.id != drawn.id
    assert (bundle.parent, bundle.tuning["layer"], bundle.tuning["steps"]) == (drawn.id, "stem", 60)
    pixels = np.stack(drawn_convolutions.pictures(4, 2, seed=5)[0])
    with torch.no_grad():
        ours = [x.numpy() for x in one.twin(torch.from_numpy(pixels))]
        reopened = [x.numpy() for x in load_network(bundle)(torch.from_numpy(pixels))]
    assert all(np.array_equal(x, y) for x, y in zip(ours, reopened, strict=True))
    from safetensors.numpy import load_file

    weights = load_file(bundle.path / "weights.safetensors")
    assert np.array_equal(weights["stem.w"], one.twin.weights["stem/w"].detach().numpy())


def test_a_part_of_what_the_weights_learned_is_written_and_the_rest_is_not_lost(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run", settings=replace(LEARN, steps=5, interpolation=0.25))
    list(one.steps())
    learned = {name: x.clone() for name, x in one.twin.named_parameters()}
    written = dict(load_network(one.bundle(tmp_path / "bundle")).named_parameters())
    for name, x in load_network(drawn).named_parameters():
        assert torch.allclose(written[name], 0.75 * x + 0.25 * learned[name], atol=1e-6), name
        assert torch.equal(dict(one.twin.named_parameters())[name], learned[name])
    moved = {name for name, x in load_network(drawn).named_parameters() if not torch.equal(x, written[name])}
    assert moved == set(one.twin.trainable())


def test_a_tuned_bundle_can_learn_again(tuned, tmp_path):
    _, _, bundle = tuned
    one = unfreezing(bundle, tmp_path / "run", layer="head", settings=FineTuneConfig(steps=3, rows=48))
    list(one.steps())
    again = one.bundle(tmp_path / "again")
    assert again.parent == bundle.id
    assert again.name.count("tuned") == 1


def test_a_converted_network_learns_is_written_and_can_learn_again(tmp_path):
    bundle = convert(elsewhere.save("resnet", tmp_path / "resnet"), tmp_path / "kept")
    pictures, group = drawn_convolutions.pictures(6, 4)
    layer = "encoder.stages.2.layers.1"
    one = LayerFineTuner(
        bundle, pictures, group, layer=layer, run=tmp_path / "run", settings=FineTuneConfig(steps=3, interpolation=1.0)
    )
    before = {name: x.clone() for name, x in one.twin.named_parameters()}
    statistics = {name: x.clone() for name, x in one.twin.named_buffers()}
    assert len(list(one.steps())) == 3
    moved = {name for name, x in one.twin.named_parameters() if not torch.equal(x, before[name])}
    assert moved == set(one.twin.trainable())
    assert all(torch.equal(x, statistics[name]) for name, x in one.twin.named_buffers())
    tuned = one.bundle(tmp_path / "tuned")  # which checks the ONNX file against torch
    assert tuned.id != bundle.id
    assert np.isfinite(Backbone(tuned).embed(pictures)).all()
    again = load_network(tuned)
    pixels = torch.from_numpy(elsewhere.pictures(bundle.side_px, 2))
    with torch.no_grad():
        assert all(torch.equal(x, y) for x, y in zip(one.twin(pixels), again(pixels), strict=True))
    assert again.unfreeze(-3) > 0


def test_only_the_layers_from_the_named_one_on_have_moved(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run", layer="blocks.0.project", settings=FineTuneConfig(steps=3, rows=48))
    list(one.steps())
    before = dict(load_network(drawn).named_parameters())
    moved = {name for name, x in one.twin.named_parameters() if not torch.equal(x, before[name])}
    assert moved == set(one.twin.trainable())


def test_learning_by_cached_activations_is_learning_by_pictures(drawn, tmp_path):
    """The activations of the pictures themselves, made anew each time: the same curve but for float16."""
    from lookalike.learning.finetuning.finetuner import TRAINED
    from lookalike.learning.training import train

    one = unfreezing(drawn, tmp_path / "a", layer="blocks.0", settings=FineTuneConfig(steps=5, rows=48, views=1))
    cached = [report.loss for report in one.steps()]
    other = unfreezing(drawn, tmp_path / "b", layer="blocks.0", settings=FineTuneConfig(steps=5, rows=48, views=1))
    for _ in other.cache():
        pass

    class Live:
        def __getitem__(self, rows):
            with torch.no_grad():
                pixels = torch.from_numpy(np.stack([other.pictures[i] for i in rows]))
                activation, pooled = other.twin.forward_frozen(pixels, other.at)
            return activation, *pooled

    network = other._network()
    optimizer = torch.optim.AdamW(network.parameters(), other.settings.learning_rate, weight_decay=1e-4)
    settings = {name: getattr(other.settings, name) for name in TRAINED}
    live = [x.loss for x in train(network, Live(), other.group, optimizer=optimizer, **settings)]
    assert live == pytest.approx(cached, rel=0.01)
    assert live[-1] != live[0]


def test_views_are_kept_as_many_as_fit_and_drawn_at_random(drawn, tmp_path):
    pictures, _ = drawn_convolutions.pictures(4, 2)
    network = load_network(drawn)
    at = network.unfreeze("head")
    kept = ActivationCache(network, at, pictures, tmp_path, views=3)
    assert [done for done, _ in kept.fill()] == [8]
    rows = np.arange(8)
    views = [kept.of(rows, np.full(8, view))[0].numpy() for view in range(3)]
    with torch.no_grad():
        itself = network.forward_frozen(torch.from_numpy(np.stack(pictures)), at)[0].numpy()
        mirrored = network.forward_frozen(torch.from_numpy(np.stack(pictures)[:, :, ::-1].copy()), at)[0].numpy()
    assert np.allclose(views[0], itself, atol=0.01)
    assert np.allclose(views[1], mirrored, atol=0.01)
    drawn_views = np.stack([kept[rows][0].numpy() for _ in range(20)])
    share = [(drawn_views == view).all(axis=(2, 3, 4)).mean() for view in views]
    assert sum(share) == pytest.approx(1)
    assert min(share) > 0.2
    size = sum(path.stat().st_size for path in tmp_path.glob("*.npy")) / 1e6
    assert kept.mb == pytest.approx(size, abs=0.001)  # but for the headers
    less = ActivationCache(network, at, pictures, tmp_path, views=3, most_mb=kept.mb - 0.001)
    assert less.views == 2
    with pytest.raises(TrainingError, match=r"more than the 0 allowed\. Unfreeze from a later layer on"):
        ActivationCache(network, at, pictures, tmp_path, most_mb=0)


def test_few_pictures_are_learned_from_in_four_views_and_fewer_steps(drawn, tmp_path):
    pictures, group = drawn_convolutions.pictures(75, 8)
    few = LayerFineTuner(drawn, pictures[:599], group[:599], layer="head", run=tmp_path)
    many = LayerFineTuner(drawn, pictures, group, layer="head", run=tmp_path)
    assert (few.settings.views, few.settings.steps, few.activations.views) == (4, 50, 4)
    assert (many.settings.views, many.settings.steps, many.activations.views) == (1, 150, 1)


def test_a_cache_that_was_broken_off_goes_on_and_another_is_made_anew(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("lookalike.learning.finetuning.activation_cache.MARKED", 8)
    pictures, _ = drawn_convolutions.pictures(8, 3)
    network = load_network(drawn)
    at = network.unfreeze("head")
    filling = ActivationCache(network, at, pictures, tmp_path).fill()
    assert next(filling) == (8, 24)
    filling.close()
    again = ActivationCache(network, at, pictures, tmp_path)
    assert list(again.fill()) == [(16, 24), (24, 24)]
    whole = ActivationCache(network, at, pictures, tmp_path / "whole")
    list(whole.fill())
    assert np.array_equal(np.load(tmp_path / "activations.npy"), np.load(tmp_path / "whole/activations.npy"))
    other = ActivationCache(network, at, pictures[::-1], tmp_path)
    assert not other.filled
    assert len(list(other.fill())) == 3


def test_the_cost_is_told_before_anything_is_written(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run", layer="head")
    cost = one.cost()
    assert not (tmp_path / "run").exists()
    assert (cost.pictures, cost.steps, cost.learning, cost.weights) == (144, 60, 108, 484)
    list(one.cache())
    size = sum(path.stat().st_size for path in (tmp_path / "run").glob("*.npy")) / 1e6
    assert cost.mb == pytest.approx(size, abs=0.001)
    assert one.cost().caching_s == 0
    assert "108 of 484 weights learn from 144 pictures: about" in str(cost)


def test_a_gpu_with_too_little_memory_gets_half_as_many_pictures_and_says_when_one_is_too_much():
    def at_most(rows):
        def run(pixels):
            if len(pixels) > rows:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            asked.append(len(pixels))
            return pixels, [pixels[:, 0], pixels[:, 1]], [pixels[:, 1]]

        return halve_on_oom(run)

    asked: list[int] = []
    pixels = np.arange(14, dtype=np.uint8).reshape(7, 2)
    activation, depths, pooled = at_most(2)(pixels)
    assert asked == [1, 2, 2, 2]
    assert np.array_equal(activation, pixels)
    assert np.array_equal(np.stack(depths, 1), pixels)
    assert np.array_equal(pooled[0], pixels[:, 1])
    with pytest.raises(TrainingError, match="too little memory for one picture"):
        at_most(0)(pixels)


BROKEN = """
import sys
sys.path.insert(0, sys.argv[2])
from support import drawn_convolutions
from pathlib import Path
from lookalike.models.bundle import read
from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner

pictures, group = drawn_convolutions.pictures(24, 6)
settings = {"steps": 60, "rows": 48, "learning_rate": 0.01, "miner": "random", "loss": "triplet", "views": 2}
settings = FineTuneConfig(**settings, checkpoint_every=10)
bundle, run = read(Path(sys.argv[1])), Path(sys.argv[3])
for report in LayerFineTuner(bundle, pictures, group, layer="stem", run=run, settings=settings).steps():
    print(report.step, flush=True)
"""


def test_a_killed_run_goes_on_to_the_same_curve_and_weights_to_the_bit(drawn, tmp_path):
    settings = replace(LEARN, miner="random", loss="triplet", views=2, checkpoint_every=10)
    whole = unfreezing(drawn, tmp_path / "whole", settings=settings)
    list(whole.steps())
    script = [sys.executable, "-c", BROKEN, drawn.path, Path(__file__).parents[2], tmp_path / "broken"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 27:
            pass
        process.send_signal(signal.SIGKILL)
    again = unfreezing(drawn, tmp_path / "broken", settings=settings)
    rest = list(again.steps())
    assert 21 <= rest[0].step <= 51
    assert rest[0].step % 10 == 1
    assert curve(again.learned.curve) == curve(whole.learned.curve)
    for name, x in whole.learned.parameters.items():
        assert torch.equal(x, again.learned.parameters[name]), name
    assert whole.bundle(tmp_path / "a").id == again.bundle(tmp_path / "b").id


def test_a_finished_run_is_not_run_again(drawn, tmp_path):
    settings = FineTuneConfig(steps=4, rows=48)
    first = unfreezing(drawn, tmp_path / "run", layer="head", settings=settings)
    list(first.steps())
    again = unfreezing(drawn, tmp_path / "run", layer="head", settings=settings)
    assert list(again.steps()) == []
    assert again.learned.curve == first.learned.curve
    assert again.bundle(tmp_path / "a").id == first.bundle(tmp_path / "b").id


def test_a_checkpoint_of_another_run_or_a_damaged_one_says_so(drawn, tmp_path):
    list(unfreezing(drawn, tmp_path, layer="head", settings=FineTuneConfig(steps=2, rows=48)).steps())
    with pytest.raises(TrainingError, match=r"of another learning \(inputs, seed differ\). Delete it"):
        list(unfreezing(drawn, tmp_path, layer="head", settings=FineTuneConfig(steps=2, rows=48), seed=1).steps())
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="no checkpoint that can be read"):
        list(unfreezing(drawn, tmp_path, layer="head", settings=FineTuneConfig(steps=2, rows=48), seed=1).steps())


def test_what_cannot_be_learned_from_is_told_before_the_first_step(drawn, tmp_path):
    pictures, group = drawn_convolutions.pictures(2, 2)
    with pytest.raises(ExamplesError, match="nothing to tell apart"):
        LayerFineTuner(drawn, pictures, group * 0, layer="head", run=tmp_path)
    with pytest.raises(TrainingError, match="4 pictures, but group names 3"):
        LayerFineTuner(drawn, pictures, group[:3], layer="head", run=tmp_path)
    broken = LayerFineTuner(drawn, [b"no picture", *pictures[1:]], group, layer="head", run=tmp_path)
    with pytest.raises(ImageError):
        list(broken.steps())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_same_is_learned(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run")
    assert one.twin.device.type == "cuda"
    reports = list(one.steps())
    assert reports[-1].loss < 0.7 * reports[0].loss
    assert recall(one.bundle(tmp_path / "bundle")) > recall(drawn) + 0.1
