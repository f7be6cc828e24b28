"""A collection that is larger than memory is meant to hold does what any other does, or says in a line why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.many_rows import many_rows

import lookalike.collection.layout as layout
import lookalike.collection.picture_names as picture_names
import lookalike.collection.searcher as searcher
import lookalike.index.near_duplicates as near_duplicates
from lookalike import Collection
from lookalike.errors import LookalikeError, QueryError
from lookalike.index.lens_column import update_lens_column
from lookalike.models.lens import Lens
from lookalike.progress import Reporter

N = 6000


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_rows(tmp_path_factory.mktemp("large"), N)


@pytest.fixture
def large(photos: Path) -> Collection:
    """The collection, read from the disk."""
    found = Collection(photos)
    found._searcher.most = 1000
    return found


class Lines(Reporter):
    def __init__(self):
        self.lines, self.stages = [], set()

    def message(self, line):
        self.lines.append(line)

    def progress(self, progress):
        self.stages.add(progress.stage)


def told(hits) -> list[tuple[str, float]]:
    return [(hit.file, hit.similarity) for hit in hits]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"where": "file LIKE '%7.png'"},
        {"others": True},
        {"reverse": True},
        {"positive": ["0000005.png"], "negative": ["0000009.png"]},
        {"unique": True},
    ],
    ids=str,
)
def test_answers_are_those_from_memory(photos: Path, large: Collection, options):
    for query in ("0000123.png", photos / "0000000.png", (photos / "0000000.png").read_bytes()):
        assert told(large.search(query, 9, **options)) == told(Collection(photos).search(query, 9, **options))
    assert large._searcher.gallery(large._searcher.state()).is_mapped
    assert told(large.search(["0000123.png", "0005999.png"], 3)[1]) == told(large.search("0005999.png", 3))


def test_pictures_are_found_by_place_name_and_content(photos: Path, large: Collection):
    memory = Collection(photos).pictures()
    pictures = large.pictures()
    assert pictures.page(40, 3).total == N
    assert {one.file for one in pictures.page().pictures} == {one.file for one in memory.page().pictures}
    newest = ["0000000.png", "0005999.png", "0005998.png"]
    assert [one.file for one in pictures.page(0, 3, order="mtime").pictures] == newest
    assert [one.file for one in pictures.page(where="file < '0000003.png'").pictures] == [
        f"000000{i}.png" for i in range(3)
    ]
    one = memory.page(77, 1).pictures[0]
    assert pictures.find(one.id) == memory.find(one.id) == [one]
    assert pictures.at(large._searcher.gallery(large._searcher.state()).row_of(one.file)) == one


def test_many_names_are_found_by_one_pass_as_one_by_one(photos: Path, large: Collection):
    pictures, names = large.pictures(), ["0000077.png", "none.png", "0005999.png", "0000000.png", "\udcff.png"]
    found = pictures.named(names)
    assert [one and one.file for one in found] == ["0000077.png", None, "0005999.png", "0000000.png", None]
    assert found == Collection(photos).pictures().named(names) == [pictures.named([name])[0] for name in names]
    assert pictures.named([]) == []


def test_a_page_of_a_condition_and_one_behind_the_end(large: Collection):
    pictures = large.pictures()
    page = pictures.page(2, 2, where="file LIKE '%99.png'")
    assert (page.total, [one.file for one in page.pictures]) == (60, ["0000299.png", "0000399.png"])
    assert [pictures.page(*at).pictures for at in ((N, 5), (N - 1, 0), (10**12, 5))] == [[], [], []]
    assert [one.file for one in pictures.page(N - 2, 5).pictures] == [f"000{N - 2}.png", f"000{N - 1}.png"]


def test_names_are_found_without_being_held(photos: Path, large: Collection, monkeypatch):
    assert large.judge("0000001.png", yes=["0000002.png"], no=[photos / "0000003.png"]) == 1
    large.judgements.undo()
    with pytest.raises(QueryError, match=r"none\.png: not a picture of"):
        large.judge("0000001.png", yes=["none.png"])
    monkeypatch.setattr(picture_names, "IN_MEMORY_ROWS", 1000)
    assert "0000002.png" in large and photos / "0000000.png" in large and "none.png" not in large
    assert len(large) == N and sorted(large) == sorted(f"{i:07d}.png" for i in range(N))


def test_what_looks_at_all_pictures_says_how_many_it_takes(large: Collection, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(layout, "MOST", 1000)
    monkeypatch.setattr(near_duplicates, "MOST", 1000)
    for ask in (large.layout, lambda: large.map(tmp_path / "map.png"), large.duplicates):
        with pytest.raises(LookalikeError, match=r"6,000 pictures: at most 1,000 .*--at"):
            ask()
    with pytest.raises(QueryError, match="all hits of 6,000 pictures"):
        large.search("0000001.png", None)


def through_a_lens(photos: Path) -> Collection:
    """The collection with a lens of 8 values in service."""
    collection = Collection(photos)
    rng, config = np.random.default_rng(0), collection.home.require_config()
    lens = Lens("pattern", rng.random(3), rng.standard_normal((3, 8)), {"backbone": config.backbone})
    lens.save(collection.home.lens("pattern"))
    update_lens_column(collection.table, lens)
    collection.home.save(replace(config, lens="pattern"))
    return Collection(photos)


def test_an_approximate_search_makes_its_index_once_and_says_what_it_finds(tmp_path: Path):
    collection, reporter = through_a_lens(many_rows(tmp_path, N)), Lines()
    with pytest.raises(QueryError, match=r"plain: .* a multiple of 8 values, here are 3\."):
        collection.search("0000123.png", 5, approximate=True, lens="plain")
    exact = told(collection.search("0000123.png", 5))
    for _ in range(2):
        hits = collection.search("0000123.png", 5, approximate=True, report=reporter)
        assert hits.note.startswith("approximate: recall@10 ") and hits.note.endswith(" on 200 of its own rows")
        assert told(hits)[0] == exact[0] and len(set(told(hits)) & set(exact)) >= 4
    assert reporter.lines == [f"Making an approximate index of {N:,} pictures."]
    assert "preparing" in reporter.stages
    assert collection.search("0000123.png", 5).note == ""
    where = collection.search("0000123.png", 5, approximate=True, where="file >= '0003000.png'")
    assert all(hit.file >= "0003000.png" for hit in where[1:]) and len(where) == 5


def test_above_so_many_pictures_indexing_makes_it_and_searches_use_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(searcher, "EXACT_ROWS", 4500)
    collection = through_a_lens(many_rows(tmp_path, 5000))
    collection._searcher.prepare(collection.home.require_config(), collection.backbone)
    assert collection.search("0000123.png", 5).note.startswith("approximate: recall@10 ")
    assert not list((collection.home.cache / "codes").glob("pattern@*"))  # it needs no codes
    assert collection.search("0000123.png", 5, reverse=True).note == ""
    kept = collection.search(np.ones(3, np.float32), 5)
    assert [hit.similarity for hit in kept] == sorted((hit.similarity for hit in kept), reverse=True)
