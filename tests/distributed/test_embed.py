"""Files embedded by shards: the same rows as in one process, whatever ends on the way."""

import pickle
import socket
from collections import deque
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.drawn_network import write_bundle
from support.pictures import aged, draw

from lookalike import Collection
from lookalike.collection.switch_backbone import UpdateOptions
from lookalike.distributed.embed import DistributedEmbedder, _SentBackbone
from lookalike.distributed.engine import LocalEngine, Outcome, WorkerDiedError
from lookalike.errors import BundleError, CollectionError, StorageError
from lookalike.index.index_report import IndexReport
from lookalike.models.registry import DEFAULT, resolve_bundle
from lookalike.progress import SILENT


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """21 pictures, two of one content, and a broken one."""
    folder = tmp_path / "photos"
    for seed in range(20):
        draw(folder / f"{seed:02d}.png", seed)
    (folder / "copy.png").write_bytes((folder / "03.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    for path in folder.iterdir():
        aged(path)
    return folder


def index(folder: Path, at: Path | None = None, engine: Any = None, shard: int = 4) -> IndexReport:
    embedder = DistributedEmbedder(engine or LocalEngine(), shard)
    return Collection(folder, at=at)._update(UpdateOptions(own=False, embedder=embedder), SILENT)


def rows(folder: Path, at: Path | None = None) -> tuple[list[str], np.ndarray]:
    return Collection(folder, at=at).table.features()


@pytest.mark.parametrize("shard", [4, 64])
def test_the_rows_are_those_of_one_process(many: Path, tmp_path: Path, shard: int):
    """In shards of 4 the copy is in another one than its like, and is embedded there; all are in one of 64."""
    done = index(many, shard=shard)
    assert (done.added, list(done.refused)) == (21, ["broken.png"])
    Collection(many, at=tmp_path / "one").index(own=False)
    files, features = rows(many)
    expected, values = rows(many, tmp_path / "one")
    assert files == expected
    np.testing.assert_allclose(features, values, atol=1e-3)


def test_a_second_run_reads_nothing_and_a_changed_file_takes_its_place(many: Path):
    index(many)
    before = dict(zip(*rows(many), strict=True))
    again = index(many)
    assert (again.added, again.changed, again.unchanged, again.still_refused) == (0, 0, 21, 1)
    draw(many / "05.png", 500)
    draw(many / "new.png", 501)
    (many / "07.png").rename(many / "moved.png")
    (many / "08.png").unlink()
    done = index(many)
    assert (done.added, done.changed, done.moved, done.gone) == (1, 1, 1, 1)
    after = dict(zip(*rows(many), strict=True))
    assert len(after) == 21
    assert not np.array_equal(after["05.png"], before["05.png"])
    np.testing.assert_array_equal(after["moved.png"], before["07.png"])


def test_columns_of_lenses_are_filled_by_who_writes_the_fragment(many: Path):
    index(many)
    photos = Collection(many)
    lens = photos.learn({f"{n:02d}.png": str(n % 2) for n in range(20)}, name="parity", quick=True)
    draw(many / "new.png", 501)
    index(many)
    snapshot = photos.table.snapshot()
    assert snapshot is not None
    assert snapshot.unfilled("parity") == []
    _, features = photos.table.features(["new.png"])
    _, column = photos.table.features(["new.png"], "lens:parity")
    np.testing.assert_allclose(column, lens.apply(features.astype(np.float32)), atol=1e-3)


class EndsAt(LocalEngine):
    """An engine whose workers end whenever they read one file, as for want of memory."""

    def __init__(self, file: str):
        self.file = file
        self.ended = 0

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        work = build()
        while waiting:
            shard = waiting.popleft()
            if any(one.file == self.file for one in shard.files):
                self.ended += 1
                yield Outcome(shard, error=WorkerDiedError("gone"))
            else:
                yield Outcome(shard, work(shard))


def test_a_file_that_ends_its_worker_is_found_by_halving_and_refused_alone(many: Path):
    engine = EndsAt("09.png")
    done = index(many, engine=engine, shard=8)
    assert engine.ended == 4  # 8, 4, 2, 1
    assert done.added == 20
    assert done.refused["09.png"].startswith("ended the process that read it")
    assert index(many).still_refused == 2
    assert len(rows(many)[0]) == 20


class FailsTwice(LocalEngine):
    """An engine whose first two shards cannot be read, as from a disk that is away for a moment."""

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        yield Outcome(waiting.popleft(), error=OSError(5, "away"))
        yield Outcome(waiting.popleft(), error=OSError(5, "away"))
        yield from super().run(build, waiting)


class AlwaysFails(LocalEngine):
    """An engine whose disk stays away."""

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        while waiting:
            yield Outcome(waiting.popleft(), error=OSError(5, "away"))


def test_what_could_not_be_read_for_a_moment_is_read_later_and_ten_failures_in_a_row_end_the_run(many: Path):
    with pytest.raises(CollectionError, match="away"):
        index(many, engine=AlwaysFails())
    assert index(many, engine=FailsTwice()).added == 21


class FailsForGood(LocalEngine):
    """An engine whose store refuses after the first two shards."""

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        yield from super().run(build, deque([waiting.popleft(), waiting.popleft()]))
        yield Outcome(waiting.popleft(), error=StorageError("denied", code="storage.denied"))


def test_what_was_done_before_a_refusal_is_committed(many: Path):
    """Two shards of 4, though less than a commit's seconds have gone by."""
    with pytest.raises(StorageError, match="denied"):
        index(many, engine=FailsForGood())
    assert len(rows(many)[0]) == 8
    assert index(many).added == 13


class AnotherMachine(LocalEngine):
    """An engine whose worker comes by pickle to a machine that has nothing of this one but its pictures and table."""

    elsewhere = True

    def __init__(self, cache: Path, gone: Path):
        self.cache, self.gone = cache, gone

    def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        sent = pickle.dumps(build)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOOKALIKE_CACHE", str(self.cache))
            self.gone.rename(self.gone.with_name("moved"))
            yield from super().run(pickle.loads(sent), waiting)
        self.gone.with_name("moved").rename(self.gone)


def test_a_backbone_that_is_only_here_is_sent_to_other_machines(many: Path, tmp_path: Path):
    backbone = write_bundle(tmp_path / "backbone")
    embedder = DistributedEmbedder(AnotherMachine(tmp_path / "cache", backbone), 8)
    options = UpdateOptions(own=False, embedder=embedder)
    assert Collection(many, backbone=backbone)._update(options, SILENT).added == 21
    (sent,) = (tmp_path / "cache/backbones").iterdir()
    assert (sent / "model.onnx").read_bytes() == (backbone / "model.onnx").read_bytes()
    Collection(many, at=tmp_path / "one", backbone=backbone).index(own=False)
    np.testing.assert_array_equal(rows(many)[1], rows(many, tmp_path / "one")[1])


def test_a_machine_whose_lookalike_has_another_backbone_of_the_name_says_so(tmp_path: Path):
    """Nothing is sent of a backbone that each machine makes by itself, and nothing is left in the cache."""
    other = replace(resolve_bundle(DEFAULT), id="0" * 32, path=tmp_path / "not here")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(BundleError) as raised:
        patch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
        _SentBackbone(other, "f32").open()
    line = f"{socket.gethostname()}: its lookalike has another {DEFAULT}. Install the same version everywhere."
    assert str(raised.value) == line
    assert not (tmp_path / "cache/backbones" / other.id).exists()


def test_a_worker_that_cannot_reach_the_pictures_names_its_machine(many: Path):
    class Gone(LocalEngine):
        def run(self, build: Any, waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
            many.rename(many.with_name("away"))
            with pytest.raises(CollectionError) as raised:
                build()
            assert str(raised.value).startswith(f"{socket.gethostname()}: {many}: no such folder")
            many.with_name("away").rename(many)
            yield from super().run(build, waiting)

    assert index(many, engine=Gone()).added == 21


def test_workers_of_ray_make_the_same_rows(ray: Any, many: Path, tmp_path: Path):
    done = Collection(many).index(own=False, on="ray", workers=2, shard=8)
    assert (done.added, list(done.refused)) == (21, ["broken.png"])
    Collection(many, at=tmp_path / "one").index(own=False)
    np.testing.assert_allclose(rows(many)[1], rows(many, tmp_path / "one")[1], atol=1e-3)
    assert Collection(many).index(own=False, on="ray", workers=2).unchanged == 21
