"""Queries and a gallery -> Hits: the first k of each, in one pass over the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import DamagedTableError, QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Answers, Hit, Hits
from lookalike.index.near_duplicates import first_of_each
from lookalike.index.query import Query
from lookalike.models.lens import PLAIN
from lookalike.models.likelihood import SEEN, Likelihood

Ranked = tuple[int, float, float | None]  # place, similarity, how likely it is right


@dataclass(frozen=True)
class Selection:
    """Which of the ranked pictures are hits.

    Attributes:
        k: how many, 1 or more; None for all.
        others: leave out the pictures of the query's own content, which come first otherwise, with 1.0: a picture is
            itself, whatever the last bit of a cosine says.
        where: an SQL condition; applied before ranking, so that k are found when there are as many.
        min_similarity: leave out hits below it, -1 to 1.
        likelihood: says how likely each hit is right; None: nothing is said.
        likely: leave out hits that are less likely right than this, 0 to 1, and those of which nothing can be said but
            the query itself.
        reverse: the least similar first. As exact: it is the ranking by the opposite vector.
        unique: leave out copies of a hit before, and pictures whose features have this similarity to one or more; k are
            found when there are as many. None: nothing is left out.
        approximate: by the gallery's index, where it has one, and where a single vector asks for the most similar ones.
    Raises: QueryError, when k, min_similarity or likely is out of its range.
    """

    k: int | None = 5
    others: bool = False
    where: str | None = None
    min_similarity: float | None = None
    likelihood: Likelihood | None = None
    likely: float | None = None
    reverse: bool = False
    unique: float | None = None
    approximate: bool = False

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise QueryError(f"k is {self.k}: ask for at least one hit.")
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise QueryError(f"a least similarity of {self.min_similarity}: similarities lie between -1 and 1.")
        if self.likely is not None and not 0 <= self.likely <= 1:
            raise QueryError(f"likely {self.likely}: it lies between 0 and 1.")

    def likelihoods(self, similarities: NDArray[np.floating[Any]], pictures: int) -> list[float | None]:
        """How likely each hit of a query is right, of all that were ranked of so many pictures; None: nobody knows."""
        if self.likelihood is None:
            return [None] * len(similarities)
        return [round(float(one), 4) for one in self.likelihood.of(similarities, pictures)]

    def keeps(self, similarities: NDArray[np.floating[Any]], likely: Sequence[float | None]) -> NDArray[np.bool_]:
        """Which hits are neither below the least similarity nor less likely right than asked."""
        kept = np.ones(len(similarities), np.bool_)
        if self.min_similarity is not None:
            kept &= similarities >= self.min_similarity
        if self.likely is not None:
            kept &= np.array([one is not None and one >= self.likely for one in likely], np.bool_)
        return kept


def search(
    queries: Sequence[Query], gallery: Gallery, folder: Path, selection: Selection, cache: Path | None = None
) -> Answers:
    """The k pictures most like each query, or the least, in that order; equal ones in the order of their files.

    Those of a query of several pictures come in the order of its own score, with their similarity to the nearest of its
    positive pictures; that is what `min_similarity` is asked of.

    Args:
        queries: resolved in this gallery.
        gallery: what is searched.
        folder: where its files lie.
        selection: how many, and which.
        cache: where the hits' thumbnails are kept.
    Raises: QueryError, when the condition of the selection cannot be understood.
    """
    if selection.unique is not None:
        return _unique(queries, gallery, folder, selection, cache)
    k, least, reverse = selection.k, selection.min_similarity, selection.reverse
    several = [query.likened for query in queries if query.likened is not None]
    approximate = selection.approximate and k is not None and not (several or reverse) and gallery.index is not None
    if approximate and selection.where is not None:
        approximate = gallery.catalog.is_in_one_form
    allowed = None if selection.where is None else gallery.filter(selection.where)
    if not approximate and len(gallery.unusable):
        allowed = np.ones(len(gallery), np.bool_) if allowed is None else allowed
        allowed[gallery.unusable] = False
    if not queries:
        return Answers()
    if (several or (reverse and least is not None)) and len(queries) > 1:
        return Answers(hits for one in queries for hits in search([one], gallery, folder, selection, cache))
    if least is not None and (several or reverse):
        query = queries[0]
        likened, needed = (query.vector[None], _unscaled(least, query.scale)) if not several else (several[0], least)
        reached = gallery.knn.reaches(likened, needed)
        allowed = reached if allowed is None else allowed & reached
    same = [gallery.copies_of(query.content) for query in queries]
    asked = [np.concatenate([gallery.copies_of(None), *map(gallery.copies_of, query.asked)]) for query in queries]
    # Copies of the query are put first or dropped below, so rank that many more.
    more = None if k is None else (k if selection.likelihood is None else max(k, SEEN)) + max(map(len, (*same, *asked)))
    vectors = np.stack([query.vector for query in queries])
    ranked, about = None, ""
    if approximate and more is not None and gallery.index is not None:
        try:
            ranked, about = gallery.rank_by_index(vectors, more, selection.where, allowed), gallery.index.note
        except DamagedTableError:
            about = "The approximate index cannot be read, so all were compared. The next lookalike index mends it."
    if ranked is None:
        ranked = gallery.rank(-vectors if reverse else vectors, more, allowed)
    searched = len(gallery) if allowed is None else int(allowed.sum())
    answers, lens = Answers(), PLAIN if gallery.lens is None else gallery.lens.name
    for query, own, parts, indices, similarities in zip(queries, same, asked, *ranked, strict=True):
        if reverse:
            similarities = 0 - similarities  # where -similarities has a zero below zero
        if query.scale != 1:
            similarities = np.clip(similarities * np.float32(query.scale), -1, 1)
        if allowed is not None:
            own = own[allowed[own]]
        rest = ~np.isin(indices, np.concatenate([own, parts]))
        indices, similarities = indices[rest], similarities[rest]
        if query.likened is not None:
            similarities = gallery.knn.compare(query.likened, indices).max(axis=0)
        likely = selection.likelihoods(similarities, searched)
        kept = selection.keeps(similarities, likely)
        copies: list[Ranked] = [] if selection.others else [(place, 1.0, None) for place in own.tolist()]
        ranking = [(int(indices[i]), float(similarities[i]), likely[i]) for i in np.flatnonzero(kept)]
        ranking = ranking + copies if reverse else copies + ranking
        first = ranking[:k]
        named = gallery.catalog.named([place for place, _, _ in first])
        hits = [
            Hit(file, value, folder / file, content, told)
            for (file, content), (_, value, told) in zip(named, first, strict=True)
        ]
        answers.append(
            Hits(
                hits,
                query=query.name,
                source=query.source,
                lens=lens,
                content=query.content,
                cache=cache,
                note=" ".join(filter(None, (query.note, about))),
            )
        )
    return answers


def _unique(
    queries: Sequence[Query], gallery: Gallery, folder: Path, selection: Selection, cache: Path | None
) -> Answers:
    """What `search` finds without copies and nearly equal pictures: as many more are ranked as it takes."""
    k = selection.k
    wide = None if k is None else 2 * k + 8
    answers = search(queries, gallery, folder, replace(selection, k=wide, unique=None), cache)
    for at, query in enumerate(queries):
        hits, width = answers[at], wide
        while True:
            places = np.array([gallery.row_of(hit.file) for hit in hits], np.int64)
            chosen, hidden = first_of_each(gallery, places, k, selection.unique or 0)
            if width is None or len(chosen) == k or len(hits) < width:
                break
            width *= 4
            (hits,) = search([query], gallery, folder, replace(selection, k=width, unique=None), cache)
        answers[at] = hits.choose(chosen, hidden)
    return answers


def _unscaled(least: float, scale: float) -> float:
    """The least float32 s for which s * scale reaches `least`, as float32 multiplies.

    >>> _unscaled(0.5, 2.0)
    0.25
    """
    up, down = np.float32(np.inf), np.float32(-np.inf)
    found = np.float32(least / scale)
    while found * np.float32(scale) >= np.float32(least):
        found = np.nextafter(found, down)
    while found * np.float32(scale) < np.float32(least):
        found = np.nextafter(found, up)
    return float(found)
