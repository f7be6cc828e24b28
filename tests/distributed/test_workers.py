"""What names an engine, and what does not."""

from importlib.util import find_spec

import pytest

from lookalike.distributed.backfill import ColumnFiller
from lookalike.distributed.embed import DistributedEmbedder
from lookalike.distributed.engine import WorkersKeywords
from lookalike.distributed.workers import Workers, engine_of, workers_of
from lookalike.errors import CollectionError
from lookalike.index.lens_column import update_lens_column


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"on": "spark"}, "--on spark: not known. There are ray and ray=ADDRESS."),
        ({"on": "ray="}, "--on ray=: not known. There are ray and ray=ADDRESS."),
        ({"on": "ray", "workers": 0}, "--workers 0: at least 1 is needed."),
        ({"on": "ray", "shard": 0}, "--shard 0: at least 1 is needed."),
    ],
)
def test_what_is_no_engine_is_said_in_one_line(options: WorkersKeywords, says: str):
    with pytest.raises(CollectionError) as raised, workers_of(options):
        pass
    assert str(raised.value) == says


def test_nothing_named_is_this_process():
    assert engine_of({}) is None
    with workers_of({"on": None, "workers": 3, "shard": None}) as workers:
        assert workers == Workers(None, update_lens_column)


def test_ray_is_named_with_and_without_an_address():
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    here, there = engine_of({"on": "ray", "workers": 3}), engine_of({"on": "ray=10.0.0.1:6379"})
    assert here is not None
    assert (here.workers, here.elsewhere) == (3, False)
    assert there is not None
    assert (there.workers, there.elsewhere) == (0, True)
    with workers_of({"on": "ray", "shard": 100}) as workers:
        assert isinstance(workers.embedder, DistributedEmbedder)
        assert workers.embedder.shard == 100
        assert isinstance(workers.fill, ColumnFiller)
