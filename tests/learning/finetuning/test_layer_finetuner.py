"""Fine-tuning from a layer on: by cached activations, resumed to the bit, written as bundles."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import drawn_convolutions, elsewhere
from support.cosines import cosines

from lookalike import Backbone
from lookalike.errors import ExamplesError, ImageError, TrainingError
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner, load_network
from lookalike.learning.finetuning.layer_finetuner import features_of
from lookalike.learning.training import TrainConfig, TrainerState, TrainingLabels, train_steps
from lookalike.models.bundle import Bundle, StageOutput, read
from lookalike.models.features import combine_stages

LEARN = FineTuneConfig("stem", TrainConfig(steps=60, rows=48, learning_rate=0.01), views=1, interpolation=1.0)


def few_steps(steps, layer="head", **other):
    return FineTuneConfig(layer, TrainConfig(steps=steps, rows=48), **other)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def unfreezing(drawn, run, config=LEARN, seed=0):
    pictures, group = drawn_convolutions.pictures(24, 6)
    return LayerFineTuner(drawn, pictures, TrainingLabels.create(group), config, run, seed)


def recall(bundle, seed=1):
    """On stripes of widths and slopes that were never learned."""
    pictures, group = drawn_convolutions.pictures(24, 6, seed=seed)
    rows = Backbone(bundle, precision="f32").embed(pictures)
    return recall_at_k(rows, rows, group, group, itself=np.arange(len(rows)))


def curve(reports):
    return [(one.step, one.loss, one.active, one.spread, one.validation) for one in reports]


@pytest.fixture(scope="module")
def tuned(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    one = unfreezing(drawn, folder / "run")
    reports = list(one.steps())
    return one, reports, one.export(folder / "bundle")


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
    for _ in one.fill_cache():
        pass
    network = one.start().eval()
    with torch.no_grad():
        found = network(*(x.float() for x in one.activations[np.arange(8)])).numpy()
    features = Backbone(drawn, precision="f32").embed(pictures)
    last = features[:, :12] / np.linalg.norm(features[:, :12], axis=1, keepdims=True)
    expected = whiten(last, group).apply(last)[:8]
    assert cosines(found, expected).min() > 0.999  # activations are kept in float16
    assert cosines(found, last[:8] - last.mean(0)).min() < 0.99


def test_the_tuned_bundle_is_torchs_network_has_its_own_id_and_says_where_it_came_from(drawn, tuned):
    one, _, bundle = tuned
    again = read(bundle.path)
    assert again == bundle
    assert bundle.id != drawn.id
    assert (bundle.parent, bundle.tuning["layer"], bundle.tuning["steps"]) == (drawn.id, "stem", 60)
    pixels = np.stack(drawn_convolutions.pictures(4, 2, seed=5)[0])
    with torch.no_grad():
        ours = [x.numpy() for x in one.network(torch.from_numpy(pixels))]
        reopened = [x.numpy() for x in load_network(bundle)(torch.from_numpy(pixels))]
    assert all(np.array_equal(x, y) for x, y in zip(ours, reopened, strict=True))
    from safetensors.numpy import load_file

    weights = load_file(bundle.path / "weights.safetensors")
    assert np.array_equal(weights["stem.w"], one.network.weights["stem/w"].detach().numpy())


def test_a_part_of_what_the_weights_learned_is_written_and_the_rest_is_not_lost(drawn, tmp_path):
    one = unfreezing(
        drawn, tmp_path / "run", config=replace(LEARN, train=replace(LEARN.train, steps=5), interpolation=0.25)
    )
    list(one.steps())
    learned = {name: x.clone() for name, x in one.network.named_parameters()}
    written = dict(load_network(one.export(tmp_path / "bundle")).named_parameters())
    for name, x in load_network(drawn).named_parameters():
        assert torch.allclose(written[name], 0.75 * x + 0.25 * learned[name], atol=1e-6), name
        assert torch.equal(dict(one.network.named_parameters())[name], learned[name])
    moved = {name for name, x in load_network(drawn).named_parameters() if not torch.equal(x, written[name])}
    assert moved == set(one.network.trainable())


def test_a_tuned_bundle_can_learn_again(tuned, tmp_path):
    _, _, bundle = tuned
    one = unfreezing(bundle, tmp_path / "run", config=few_steps(3, "head"))
    list(one.steps())
    again = one.export(tmp_path / "again")
    assert again.parent == bundle.id
    assert again.name.count("tuned") == 1


def test_a_converted_network_learns_is_written_and_can_learn_again(from_transformers, tmp_path):
    _, bundle = from_transformers("resnet")
    pictures, group = drawn_convolutions.pictures(6, 4)
    config = FineTuneConfig("encoder.stages.2.layers.1", TrainConfig(steps=3), interpolation=1.0)
    one = LayerFineTuner(bundle, pictures, TrainingLabels.create(group), config, tmp_path / "run")
    before = {name: x.clone() for name, x in one.network.named_parameters()}
    statistics = {name: x.clone() for name, x in one.network.named_buffers()}
    assert len(list(one.steps())) == 3
    moved = {name for name, x in one.network.named_parameters() if not torch.equal(x, before[name])}
    assert moved == set(one.network.trainable())
    assert all(torch.equal(x, statistics[name]) for name, x in one.network.named_buffers())
    tuned = one.export(tmp_path / "tuned")  # which checks the ONNX file against torch
    assert tuned.id != bundle.id
    assert np.isfinite(Backbone(tuned).embed(pictures)).all()
    again = load_network(tuned)
    pixels = torch.from_numpy(elsewhere.pictures(bundle.side_px, 2))
    with torch.no_grad():
        assert all(torch.equal(x, y) for x, y in zip(one.network(pixels), again(pixels), strict=True))
    assert again.unfreeze(-3) > 0


def test_only_the_layers_from_the_named_one_on_have_moved(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run", config=few_steps(3, "blocks.0.project"))
    list(one.steps())
    before = dict(load_network(drawn).named_parameters())
    moved = {name for name, x in one.network.named_parameters() if not torch.equal(x, before[name])}
    assert moved == set(one.network.trainable())


def test_learning_by_cached_activations_is_learning_by_pictures(drawn, tmp_path):
    """The activations of the pictures themselves, made anew each time: the same curve but for float16."""
    one = unfreezing(drawn, tmp_path / "a", config=few_steps(5, "blocks.0", views=1))
    cached = [report.loss for report in one.steps()]
    other = unfreezing(drawn, tmp_path / "b", config=few_steps(5, "blocks.0", views=1))
    for _ in other.fill_cache():
        pass

    class Live:
        def __getitem__(self, rows):
            with torch.no_grad():
                pixels = torch.from_numpy(np.stack([other.images[i] for i in rows]))
                activation, pooled = other.split.frozen(pixels)
            return activation, *pooled

    network = other.start()
    optimizer = torch.optim.AdamW(network.parameters(), other.train.learning_rate, weight_decay=1e-4)
    state = TrainerState.create(network, Live(), other.data, other.train, optimizer=optimizer)
    live = [one.loss for one in train_steps(state)]
    assert live == pytest.approx(cached, rel=0.01)
    assert live[-1] != live[0]


def test_few_pictures_are_learned_from_in_four_views_and_fewer_steps(drawn, tmp_path):
    pictures, group = drawn_convolutions.pictures(75, 8)
    head = FineTuneConfig("head")
    few = LayerFineTuner(drawn, pictures[:599], TrainingLabels.create(group[:599]), head, tmp_path)
    many = LayerFineTuner(drawn, pictures, TrainingLabels.create(group), head, tmp_path)
    assert (few.config.views, few.train.steps, few.activations.views) == (4, 50, 4)
    assert (many.config.views, many.train.steps, many.activations.views) == (1, 150, 1)


def test_the_cost_is_told_before_anything_is_written(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run", replace(LEARN, layer="head"))
    cost = one.cost()
    assert not (tmp_path / "run").exists()
    assert (cost.images, cost.steps, cost.trainable, cost.weights) == (144, 60, 108, 484)
    list(one.fill_cache())
    size = sum(path.stat().st_size for path in (tmp_path / "run").glob("*.npy")) / 1e6
    assert cost.mb == pytest.approx(size, abs=0.001)
    assert one.cost().caching_s == 0
    assert "108 of 484 weights learn from 144 pictures: about" in str(cost)


BROKEN = """
import sys
sys.path.insert(0, sys.argv[2])
from support import drawn_convolutions
from pathlib import Path
from lookalike.models.bundle import Bundle, StageOutput, read
from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner
from lookalike.learning.training import TrainConfig, TrainingLabels

pictures, group = drawn_convolutions.pictures(24, 6)
train = TrainConfig("triplet", "random", steps=60, rows=48, learning_rate=0.01)
config = FineTuneConfig("stem", train, views=2, checkpoint_every=10)
bundle, run = read(Path(sys.argv[1])), Path(sys.argv[3])
for report in LayerFineTuner(bundle, pictures, TrainingLabels.create(group), config, run).steps():
    print(report.step, flush=True)
"""


def test_a_killed_run_goes_on_to_the_same_curve_and_weights_to_the_bit(drawn, tmp_path):
    train = replace(LEARN.train, miner="random", loss="triplet")
    config = replace(LEARN, train=train, views=2, checkpoint_every=10)
    whole = unfreezing(drawn, tmp_path / "whole", config=config)
    list(whole.steps())
    script = [sys.executable, "-c", BROKEN, drawn.path, Path(__file__).parents[2], tmp_path / "broken"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 27:
            pass
        process.send_signal(signal.SIGKILL)
    again = unfreezing(drawn, tmp_path / "broken", config=config)
    rest = list(again.steps())
    assert 21 <= rest[0].step <= 51
    assert rest[0].step % 10 == 1
    assert curve(again.best.curve) == curve(whole.best.curve)
    for name, x in whole.best.parameters.items():
        assert torch.equal(x, again.best.parameters[name]), name
    assert whole.export(tmp_path / "a").id == again.export(tmp_path / "b").id


def test_a_finished_run_is_not_run_again(drawn, tmp_path):
    config = few_steps(4)
    first = unfreezing(drawn, tmp_path / "run", config=config)
    list(first.steps())
    again = unfreezing(drawn, tmp_path / "run", config=config)
    assert list(again.steps()) == []
    assert again.best.curve == first.best.curve
    assert again.export(tmp_path / "a").id == first.export(tmp_path / "b").id


def test_a_checkpoint_of_another_run_or_a_damaged_one_says_so(drawn, tmp_path):
    list(unfreezing(drawn, tmp_path, config=few_steps(2, "head")).steps())
    with pytest.raises(TrainingError, match=r"of another training \(inputs, seed differ\). Delete it"):
        list(unfreezing(drawn, tmp_path, config=few_steps(2, "head"), seed=1).steps())
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="no checkpoint that can be read"):
        list(unfreezing(drawn, tmp_path, config=few_steps(2, "head"), seed=1).steps())


def test_what_cannot_be_learned_from_is_told_before_the_first_step(drawn, tmp_path):
    pictures, group = drawn_convolutions.pictures(2, 2)
    with pytest.raises(ExamplesError, match="nothing to tell apart"):
        LayerFineTuner(drawn, pictures, TrainingLabels.create(group * 0), few_steps(2), tmp_path)
    with pytest.raises(TrainingError, match="4 pictures, but 3 labels"):
        LayerFineTuner(drawn, pictures, TrainingLabels.create(group[:3]), few_steps(2), tmp_path)
    broken = LayerFineTuner(drawn, [b"no picture", *pictures[1:]], TrainingLabels.create(group), few_steps(2), tmp_path)
    with pytest.raises(ImageError):
        list(broken.steps())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_same_is_learned(drawn, tmp_path):
    one = unfreezing(drawn, tmp_path / "run")
    assert one.network.device.type == "cuda"
    reports = list(one.steps())
    assert reports[-1].loss < 0.7 * reports[0].loss
    assert recall(one.export(tmp_path / "bundle")) > recall(drawn) + 0.1


def test_features_in_torch_are_those_of_the_backbone_and_have_a_slope_at_zero():
    how = (StageOutput("a", 5, 1.0, 0.5, 0.3), StageOutput("b", 4, 0.5, 1.0), StageOutput("c", 3, 2.0, 0.5))
    rng = np.random.default_rng(0)
    depths = [rng.standard_normal((6, one.length)).astype(np.float32) for one in how]
    bundle = Bundle(Path(), "drawn", "0", 8, how)
    expected = combine_stages({one.name: x for one, x in zip(how, depths, strict=True)}, bundle)
    assert cosines(features_of([torch.from_numpy(x) for x in depths], how).numpy(), expected).min() > 0.9999
    zeros = [torch.zeros(2, one.length, requires_grad=True) for one in how]
    features_of(zeros, how).sum().backward()
    assert all(bool(x.grad.isfinite().all()) for x in zeros)
