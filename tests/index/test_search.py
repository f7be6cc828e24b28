"""Searching: the same answers as brute force, from disk or memory, filtered or not, one query or many."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.large_table import FEATURES, FILES, LENS, N, ask, content, names, truth

from lookalike import similarity
from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.search import Selection, search
from lookalike.index.table import Table


@pytest.mark.parametrize("lens", [None, LENS], ids=["plain", "pattern"])
def test_the_first_k_are_those_of_brute_force_from_disk_and_from_memory(table: Table, tmp_path: Path, lens):
    vectors = FEATURES if lens is None else lens.apply(FEATURES).astype(np.float16)
    for i in (0, 105, N - 1):
        gallery = Gallery(table.snapshot(), lens, tmp_path / "codes")
        for _ in range(2):
            (hits,) = search([ask(vectors[i])], gallery, tmp_path, Selection(20))
            assert names(hits) == truth(vectors, vectors[i], 20)
            assert hits.lens == ("plain" if lens is None else "pattern")
            gallery.rows.whole()


def test_many_queries_at_once_get_what_each_gets_alone(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    queries = [ask(FEATURES[i], content(i)) for i in (3, 102, 107)]
    for others in (False, True):
        together = search(queries, gallery, tmp_path, Selection(12, others=others))
        alone = [search([query], gallery, tmp_path, Selection(12, others=others))[0] for query in queries]
        assert [list(hits) for hits in together] == [list(hits) for hits in alone]


def test_a_querys_own_pictures_come_first_with_one_even_among_those_that_look_the_same(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    own = sorted(FILES[100:105])
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, Selection(7))
    assert names(hits)[:5] == own
    assert [hit.similarity for hit in hits][:5] == [1.0] * 5
    assert names(hits)[5:] == sorted(FILES[105:110])[:2]
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, Selection(7, others=True))
    assert names(hits)[:5] == sorted(FILES[105:110])
    assert len(hits) == 7
    assert not set(own) & set(names(hits))


def test_a_filter_is_applied_before_ranking_so_k_are_found(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    (hits,) = search([ask(FEATURES[102], content(102))], gallery, tmp_path, Selection(9, where="width >= 103"))
    right = truth(FEATURES, FEATURES[102], N)
    allowed = set(FILES[103:])
    own = sorted(FILES[103:105])
    assert names(hits) == own + [file for file in right if file in allowed and file not in own][:7]
    assert names(search([ask(FEATURES[0])], gallery, tmp_path, Selection(None, where="width < 3"))[0]) == [
        file for file in right_of(0) if file in FILES[:3]
    ]
    with pytest.raises(QueryError, match="Write it like"):
        search([ask(FEATURES[0])], gallery, tmp_path, Selection(9, where="colour = 1"))


def right_of(i: int) -> list[str]:
    return truth(FEATURES, FEATURES[i], N)


def test_a_least_similarity_cuts_and_k_none_gives_all(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    values = similarity(FEATURES, FEATURES[0])[:, 0]
    (hits,) = search([ask(FEATURES[0], content(0))], gallery, tmp_path, Selection(None, min_similarity=0.5))
    assert len(hits) == int((values >= 0.5).sum())
    (hits,) = search([ask(FEATURES[0], content(0))], gallery, tmp_path, Selection(None))
    assert names(hits) == right_of(0)


def test_an_emptied_table_has_no_hits(table: Table, tmp_path: Path):
    table.remove(FILES)
    gallery = Gallery(table.snapshot(), LENS, tmp_path / "codes")
    assert (len(gallery), gallery.files, gallery.rows.whole().shape) == (0, [], (0, 4))
    assert len(search([ask(np.ones(4))], gallery, tmp_path, Selection(5))[0]) == 0


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": -3}, {"min_similarity": 1.01}, {"min_similarity": -2}])
def test_what_no_search_can_give_is_refused(wrong):
    with pytest.raises(QueryError):
        Selection(**wrong)


def test_no_queries_have_no_answers_but_a_wrong_condition_is_still_one(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    assert search([], gallery, tmp_path, Selection()) == []
    with pytest.raises(QueryError, match="Write it like"):
        search([], gallery, tmp_path, Selection(where="colour = 1"))


def test_a_hit_says_where_its_file_lies_and_what_it_holds(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    (hits,) = search([ask(FEATURES[7])], gallery, tmp_path, Selection(1))
    assert (hits[0].path, hits[0].content) == (tmp_path / FILES[7], content(7))


@pytest.mark.parametrize("few", [4096, 1], ids=["compared", "by codes"])
@pytest.mark.parametrize("lens", [None, LENS], ids=["plain", "pattern"])
def test_the_least_similar_are_those_of_brute_force(table: Table, tmp_path: Path, lens, few: int):
    vectors = FEATURES if lens is None else lens.apply(FEATURES).astype(np.float16)
    gallery = Gallery(table.snapshot(), lens, tmp_path / "codes", few)
    values = similarity(vectors, vectors[[0, 102]])
    queries = [ask(vectors[0]), ask(vectors[102], content(102))]
    answers = search(queries, gallery, tmp_path, Selection(20, reverse=True))
    for j, hits in enumerate(answers):
        right = sorted(range(N), key=lambda i: (values[i, j], FILES[i]))[:20]
        assert names(hits) == [FILES[i] for i in right]
        assert [hit.similarity for hit in hits] == values[right, j].tolist()


def test_in_reverse_the_querys_own_pictures_come_last_and_a_least_similarity_is_asked_before_ranking(table: Table):
    gallery, query = Gallery(table.snapshot()), ask(FEATURES[102], content(102))
    values, own = similarity(FEATURES, FEATURES[102])[:, 0], set(range(100, 105))
    (hits,) = search([query], gallery, Path(), Selection(None, reverse=True))
    assert names(hits)[-5:] == sorted(FILES[i] for i in own)
    (hits,) = search([query], gallery, Path(), Selection(7, min_similarity=0.4, reverse=True, others=True))
    right = sorted((i for i in range(N) if values[i] >= 0.4 and i not in own), key=lambda i: (values[i], FILES[i]))
    assert names(hits) == [FILES[i] for i in right[:7]]
    both = search([query, query], gallery, Path(), Selection(7, min_similarity=0.4, reverse=True, others=True))
    assert [names(one) for one in both] == [names(hits)] * 2
    doubled = replace(query, scale=2.0)
    (hits,) = search([doubled], gallery, Path(), Selection(7, min_similarity=0.4, reverse=True, others=True))
    right = sorted((i for i in range(N) if values[i] >= 0.2 and i not in own), key=lambda i: (values[i], FILES[i]))
    assert names(hits) == [FILES[i] for i in right[:7]]


@pytest.mark.parametrize("lens", [None, LENS], ids=["plain", "pattern"])
@pytest.mark.parametrize("k", [2, 12, None])
@pytest.mark.parametrize("reverse", [False, True])
def test_of_copies_and_nearly_equal_pictures_only_the_first_is_a_hit(table: Table, lens, k, reverse: bool):
    """By the plain loop: down the ranking, each that no picture kept before it is equal or nearly equal to."""
    width = "width < 300"
    gallery = Gallery(table.snapshot(), lens)
    query = ask(gallery.embed_query(FEATURES[102]), content(102))
    (ranked,) = search([query], gallery, Path(), Selection(None, where=width, reverse=reverse))
    kept: list[str] = []
    passed = 0
    for name in names(ranked):
        rows = FEATURES[[FILES.index(one) for one in (name, *kept)]]
        if (similarity(rows[:1], rows[1:]) >= np.float32(0.98)).any():
            passed += 1
        elif k is None or len(kept) < k:
            kept.append(name)
        if len(kept) == k:
            break
    (hits,) = search([query], gallery, Path(), Selection(k, where=width, reverse=reverse, unique=0.98))
    assert (names(hits), hits.hidden) == (kept, passed)
    assert (f"{passed} copies" in hits.note) == (passed > 1)
    if not reverse or k is None:
        assert passed >= 9, "the ten that look alike"
