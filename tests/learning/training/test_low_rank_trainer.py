"""The correction: step 0 is the closed form, part of it is kept, and any examples will do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pytest import approx
from support.recording import Recording

from lookalike.errors import ExamplesError, ShapeError, TrainingError
from lookalike.learning import whiten
from lookalike.learning.closed_form.default import ChainedTrainer, ClosedFormTrainer
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.training import (
    LowRank,
    LowRankConfig,
    LowRankRun,
    LowRankTrainer,
    TrainConfig,
    TripletLoss,
    correct,
)
from lookalike.learning.training.low_rank_trainer import WhitenedRows, main_directions

QUICK = LowRankConfig(TrainConfig(steps=20, rows=64), rank=8)


def run_of(lens, x, group, config=QUICK, **other):
    return LowRankRun(lens, LabelledFeatures.create(x, group), config, **other)


def with_loss(loss):
    return replace(QUICK, train=replace(QUICK.train, loss=loss))


def a_task(groups=40, size=4, f=24, seed=0):
    """Groups that differ by rotation-free signal in half of the features, noise in the others."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    x = rng.standard_normal((groups * size, f))
    x[:, : f // 2] = rng.standard_normal((groups, f // 2))[group] + 0.4 * x[:, : f // 2]
    x[:, f // 2 :] *= 3
    return x.astype(np.float32), group


def recall(lens, x, group):
    z = lens.apply(x)
    return recall_at_k(z, z, group, group, itself=np.arange(len(z)))


def test_step_0_is_the_closed_form():
    x, group = a_task()
    lens = whiten(x, group)
    correction = run_of(lens, x, group)
    assert_allclose(correction.lens().apply(x), lens.apply(x), atol=1e-6)
    with torch.no_grad():
        by_network = correction.network.eval()(WhitenedRows(lens, x).all())
    assert_allclose(by_network.numpy(), lens.apply(x), atol=1e-6)


def test_nothing_kept_is_the_closed_form():
    x, group = a_task()
    lens = whiten(x, group)
    corrected = correct(lens, x, group, config=replace(QUICK, interpolation=0.0))
    assert_allclose(corrected.matrix, lens.matrix, atol=1e-6)
    assert_allclose(corrected.apply(x), lens.apply(x), atol=1e-6)


def test_everything_kept_is_the_network_that_was_trained():
    """One mean and one matrix give what the network gives in two steps."""
    x, group = a_task()
    lens = whiten(x, group)
    correction = run_of(lens, x, group, replace(QUICK, interpolation=1.0))
    list(correction.steps())
    with torch.no_grad():
        by_network = correction.network(WhitenedRows(lens, x).all())
    assert_allclose(correction.lens().apply(x), by_network.numpy(), atol=1e-5)
    assert np.abs(correction.lens().apply(x) - lens.apply(x)).max() > 0.005


def test_a_quarter_kept_lies_a_quarter_of_the_way():
    x, group = a_task()
    lens = whiten(x, group)
    whole, part = (correct(lens, x, group, config=replace(QUICK, interpolation=kept)).matrix for kept in (1.0, 0.25))
    assert_allclose(part - lens.matrix, 0.25 * (whole - lens.matrix), atol=1e-6)


@pytest.mark.parametrize("loss", ["softmax", "triplet", "soft-margin"])
def test_it_gains_on_groups_that_it_never_saw(loss):
    """The closed form leaves room here, as few groups say little of the scatter within."""
    x, group = a_task(groups=12, size=3, seed=3)
    lens = whiten(x, group)
    train = TrainConfig(loss, steps=60, learning_rate=1e-2)
    corrected = correct(lens, x, group, config=LowRankConfig(train, rank=16, interpolation=1.0))
    unseen, unseen_group = a_task(groups=100, seed=4)
    assert recall(corrected, unseen, unseen_group) > recall(lens, unseen, unseen_group) + 0.02


def test_the_network_worked_by_hand():
    """y = (3, 4), A = (1, 0)', B = (0, 2): y + y A B = (3, 4 + 6) = (3, 10), of length sqrt 109."""
    network = LowRank(torch.tensor([[1.0], [0.0]]))
    with torch.no_grad():
        network.B.copy_(torch.tensor([[0.0, 2.0]]))
        z = network(torch.tensor([[3.0, 4.0]]))
    assert z[0].tolist() == approx([3 / 109**0.5, 10 / 109**0.5])


def test_dropout_is_for_learning_alone():
    network, y = LowRank(torch.eye(4)[:, :2], drop=0.5), torch.ones(1, 4)
    assert network.eval()(y).tolist() == [[0.5] * 4]
    assert any((network.train()(y) == 0).any() for _ in range(9))


def test_main_directions_are_those_in_which_rows_vary_most():
    rng = np.random.default_rng(0)
    y = torch.from_numpy((rng.standard_normal((300, 6)) * [9, 1, 1, 7, 1, 1]).astype(np.float32))
    found = main_directions(y, 2, seed=0)
    assert_allclose((found.T @ found).numpy(), np.eye(2), atol=1e-5)
    assert found[[0, 3]].square().sum() == approx(2, abs=0.05)


@pytest.mark.parametrize(("n_groups", "rank"), [(2, 500), (3, 24)])
def test_more_rank_than_rows_and_few_rows(n_groups, rank):
    """Two groups of two: 4 rows span 3 directions, and 24 features allow no more than 24."""
    x, group = a_task(groups=n_groups, size=2)
    lens = whiten(x, group)
    corrected = correct(lens, x, group, config=replace(QUICK, rank=rank))
    assert corrected.settings["correction"]["rank"] == len(x) - 1
    assert np.isfinite(corrected.matrix).all()


def test_a_lens_of_fewer_dimensions_keeps_them():
    x, group = a_task()
    lens = whiten(x, group, dims=6)
    corrected = correct(lens, x, group, config=QUICK)
    assert corrected.matrix.shape == (24, 6)
    assert corrected.settings["correction"]["rank"] == 6


def test_triplets_alone_are_enough():
    x, group = a_task()
    rng, triplets = np.random.default_rng(0), []
    for anchor in range(len(x)):
        positive = rng.choice(np.flatnonzero((group == group[anchor]) & (np.arange(len(x)) != anchor)))
        triplets.append([anchor, positive, rng.choice(np.flatnonzero(group != group[anchor]))])
    alone = np.full(len(x), -1)
    lens = whiten(x, alone, triplets=triplets)
    corrected = correct(lens, x, alone, triplets=np.array(triplets), config=with_loss("triplet"))
    distance = np.abs(corrected.matrix - lens.matrix).max()
    assert distance > 1e-4
    unseen, unseen_group = a_task(groups=100, seed=4)
    assert recall(corrected, unseen, unseen_group) >= recall(lens, unseen, unseen_group) - 0.02


def test_features_of_another_length_are_refused():
    x, group = a_task()
    with pytest.raises(ShapeError, match=r"for a lens that reads 24. Give \(n, 24\)"):
        run_of(whiten(x, group), x[:, :5], group)


def test_one_group_has_nothing_to_be_told_from():
    x, group = a_task(groups=1)
    with pytest.raises(ExamplesError, match="nothing to tell apart"):
        correct(whiten(x, group), x, group, config=QUICK)


def test_float16_features_learn_the_lens_of_their_float32():
    x, group = a_task()
    half = x.astype(np.float16)
    lens = whiten(half, group)
    one, other = (correct(lens, y, group, config=QUICK) for y in (half, half.astype(np.float32)))
    assert_allclose(one.matrix, other.matrix, atol=1e-7)


def test_rows_read_batch_by_batch_learn_the_same_lens():
    """More rows than the steps could ask for are not computed beforehand."""
    x, group = a_task()
    few = LowRankConfig(TrainConfig(steps=2, rows=64), rank=8)
    lens = whiten(x, group)
    batch_by_batch, at_once = run_of(lens, x, group, few), run_of(lens, x, group, few)
    assert isinstance(batch_by_batch.rows, WhitenedRows)
    at_once.rows = WhitenedRows(lens, x).all()
    for one in (batch_by_batch, at_once):
        list(one.steps())
    assert_allclose(batch_by_batch.lens().matrix, at_once.lens().matrix, atol=1e-5)


def test_the_validation_chooses_the_step():
    """The recall is scripted over the asks after step 0, 10 and 20: the middle one is best."""
    x, group = a_task()
    seen, script = [], iter([0.3, 0.9, 0.5])

    def measure(embedding):
        seen.append(embedding.copy())
        return next(script)

    lens = whiten(x, group)
    run = run_of(lens, x, group, measure=measure, of=x[:9])
    assert [step.validation for step in run.steps() if step.validation is not None] == [0.9, 0.5]
    corrected = run.lens()
    assert_allclose(seen[0], lens.apply(x[:9]), atol=1e-6)
    assert_allclose(seen[1], corrected.apply(x[:9]), atol=1e-6)
    assert np.abs(seen[2] - seen[1]).max() > 1e-5
    assert corrected.settings["correction"]["step"] == 10


def test_where_validation_sees_no_gain_the_closed_form_stays():
    x, group = a_task()
    lens = whiten(x, group)
    run = run_of(lens, x, group, measure=lambda _: 0.5, of=x[:9])
    list(run.steps())
    assert_allclose(run.lens().matrix, lens.matrix, atol=1e-7)


def test_it_can_be_stopped_at_any_step_and_keeps_what_it_has():
    x, group = a_task()
    correction = run_of(whiten(x, group), x, group)
    steps = correction.steps()
    for report in steps:
        if report.step == 7:
            break
    steps.close()
    about = correction.lens().settings["correction"]
    assert about["step"] == 7
    whole = correct(whiten(x, group), x, group, config=QUICK)
    assert np.abs(whole.matrix - correction.lens().matrix).max() > 1e-5


def test_what_it_was_learned_with_is_told_in_plain_values(tmp_path):
    x, group = a_task()
    told = Recording()
    config = replace(QUICK, train=replace(QUICK.train, loss=TripletLoss(0.3), miner="all"))
    start = whiten(x, group)
    lens = LowRankTrainer(config, seed=5).fit(LabelledFeatures.create(x, group), start, told)
    about = lens.settings["correction"]
    assert (about["loss"], about["miner"]) == ("TripletLoss(margin=0.3)", "all")
    assert (about["steps"], about["seed"], about["threads"]) == (20, 5, 1)
    assert (about["temperature"], about["learning_rate"], about["interpolation"]) == (0.05, 1e-3, 0.25)
    assert lens.settings["method"] == "closed form"
    assert [now.done for now in told.seen] == list(range(1, 21))
    assert told.stages == {"learning"}
    lens.save(tmp_path / "lens")
    assert_allclose(type(lens).load(tmp_path / "lens").matrix, lens.matrix)


def test_it_goes_on_from_the_default_closed_form_with_a_step_for_every_25_examples():
    """Rows of no label and no triplet are no examples; a picture of both counts once."""
    x, group = (np.tile(one, reps) for one, reps in zip(a_task(), ((4, 1), 4), strict=True))
    lens = ChainedTrainer(ClosedFormTrainer(), LowRankTrainer()).fit(LabelledFeatures.create(x, group))
    assert len(x) // 25 > 10
    assert lens.settings["correction"]["steps"] == len(x) // 25
    some = np.where(np.arange(len(x)) < 300, group, -1)
    data = LabelledFeatures.create(x, some, triplets=[[0, 1, 310], [300, 305, 310]])
    assert LowRankRun(lens, data).config.train.steps == 303 // 25


def test_without_a_lens_to_start_from_it_says_so():
    x, group = a_task()
    with pytest.raises(TrainingError, match=r"starts from a lens\. Make one first"):
        LowRankTrainer().fit(LabelledFeatures.create(x, group))


def test_a_closed_form_that_leaves_no_triplet_active_stays_as_it_is():
    """Orthogonal groups: |a - p|^2 = 0 and |a - n|^2 = 2, ten times the margin; no step has a loss."""
    x, group = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0), np.repeat(np.arange(8), 3)
    lens = whiten(x + 1e-3 * np.random.default_rng(0).standard_normal(x.shape), group)
    correction = run_of(lens, x, group, replace(with_loss("triplet"), dropout=0.0))
    assert {report.loss for report in correction.steps()} == {0.0}
    assert_allclose(correction.lens().matrix, lens.matrix, atol=1e-6)
