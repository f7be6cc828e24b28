"""The queries that a lens helped most and hurt most: by hand, and in a proof."""

import numpy as np
from numpy.testing import assert_allclose
from support.drawn_labels import world

from lookalike.learning import prove
from lookalike.learning.evaluation.query_changes import Ranked, query_changes
from lookalike.models.proof_parts import FoundImage


def ranked(plain, lens):
    """Answers with no hits that can be shown."""
    none = np.full((3, 1, len(plain)), -1.0)
    return {"plain": Ranked(np.array(plain), none), "lens": Ranked(np.array(lens), none)}


def changed(plain, lens, place=None, **more):
    q = np.arange(len(plain))
    return query_changes(q if place is None else np.array(place), q, ranked(plain, lens), q + 100, **more)


def test_most_gained_and_most_lost_come_first_and_what_is_the_same_in_neither():
    """1 / lens - 1 / plain: 1/2, 0, 3/4, -1/2, -2/3."""
    best, worst = changed([2, 1, 4, 1, 1], [1, 1, 1, 2, 3])
    assert [one.query for one in best] == [102, 100]
    assert [one.query for one in worst] == [104, 103]
    assert best[0].ranks == {"plain": 4, "lens": 1} and best[0].hits == {"plain": (), "lens": ()}


def test_at_most_so_many_are_listed():
    best, worst = changed([2] * 30 + [1] * 30, [1] * 30 + [2] * 30)
    assert len(best) == len(worst) == 12
    best, worst = changed([2] * 30, [1] * 30, most=5)
    assert len(best) == 5 and worst == ()


def test_a_query_of_several_folds_is_shown_as_it_mostly_went():
    """Gains 0, 3/4 and 1/2, of mean 5/12: the third is nearest."""
    best, _ = changed([1, 4, 2], [1, 1, 1], place=[0, 0, 0])
    assert [(one.query, one.ranks["plain"]) for one in best] == [(102, 2)]


def test_hits_are_named_as_rows_and_places_without_any_are_left_out():
    first = np.array([[[3.0], [-1.0]], [[0.123456], [-1.0]], [[1.0], [0.0]]])
    both = {"plain": Ranked(np.array([2]), first), "lens": Ranked(np.array([1]), first)}
    best, _ = query_changes(np.zeros(1, int), np.zeros(1, int), both, np.array([7, 8, 9, 10]))
    assert best[0].query == 7 and best[0].hits["lens"] == (FoundImage(10, 0.1235, True),)


def test_a_proof_names_queries_that_changed():
    proof = prove(*world())
    best, worst = proof.queries.best, proof.queries.worst
    assert 0 < len(best) <= 12 and all(one.ranks["plain"] > one.ranks["lens"] for one in best)
    assert all(one.ranks["plain"] < one.ranks["lens"] for one in worst)
    gains = [1 / one.ranks["lens"] - 1 / one.ranks["plain"] for one in best]
    assert gains == sorted(gains, reverse=True)
    assert all(0 <= one.query < 160 for one in best + worst)


def test_the_best_and_the_worst_show_what_each_way_found_first():
    """A query of the only held-out gallery it was asked in: the first right hit stands at its rank, hits fall."""
    x, labels = world()
    proof = prove(x, labels)
    seen = x / np.linalg.norm(x, axis=1, keepdims=True)
    for one in proof.queries.best + proof.queries.worst:
        for way, hits in one.hits.items():
            rows = [hit.image for hit in hits]
            assert one.query not in rows and len(set(rows)) == 5
            similarities = [hit.similarity for hit in hits]
            assert similarities == sorted(similarities, reverse=True)
            relevant = [hit.relevant for hit in hits]
            assert relevant == [labels[row] == labels[one.query] for row in rows]
            rank = one.ranks[way]
            assert relevant.index(True) + 1 == rank if True in relevant else rank > 5
        plain = one.hits["plain"]
        expected = [seen[one.query] @ seen[hit.image] for hit in plain]
        assert_allclose([hit.similarity for hit in plain], expected, atol=1e-4)
