"""Queries and a gallery -> Hits: the first k of each, in one pass over the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Answers, Hit, Hits
from lookalike.index.query import Query
from lookalike.models.lens import PLAIN


@dataclass(frozen=True)
class Selection:
    """Which of the ranked pictures are hits.

    Attributes:
        k: how many, 1 or more; None for all.
        others: leave out the pictures of the query's own content, which come first otherwise, with 1.0: a picture is
            itself, whatever the last bit of a cosine says.
        where: an SQL condition; applied before ranking, so that k are found when there are as many.
        min_similarity: leave out hits below it, -1 to 1.
    Raises: QueryError, when k or min_similarity is out of its range.
    """

    k: int | None = 5
    others: bool = False
    where: str | None = None
    min_similarity: float | None = None

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise QueryError(f"k is {self.k}: ask for at least one hit.")
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise QueryError(f"a least similarity of {self.min_similarity}: similarities lie between -1 and 1.")


def search(
    queries: Sequence[Query], gallery: Gallery, folder: Path, selection: Selection, cache: Path | None = None
) -> Answers:
    """The k pictures most like each query, the most similar first, equal ones in the order of their files.

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
    k, least = selection.k, selection.min_similarity
    allowed = None if selection.where is None else gallery.filter(selection.where)
    if len(gallery.unusable):
        allowed = np.ones(len(gallery), np.bool_) if allowed is None else allowed
        allowed[gallery.unusable] = False
    if not queries:
        return Answers()
    several = [query.likened for query in queries if query.likened is not None]
    if several and len(queries) > 1:
        return Answers(hits for one in queries for hits in search([one], gallery, folder, selection, cache))
    if several and least is not None:
        reached = gallery.knn.reaches(several[0], least)
        allowed = reached if allowed is None else allowed & reached
    same = [gallery.copies_of(query.content) for query in queries]
    asked = [np.concatenate([gallery.copies_of(None), *map(gallery.copies_of, query.asked)]) for query in queries]
    # Copies of the query are put first or dropped below, so rank that many more.
    more = None if k is None else k + max(map(len, (*same, *asked)))
    ranked = gallery.knn.search(np.stack([query.vector for query in queries]), more, allowed)
    answers, lens = Answers(), PLAIN if gallery.lens is None else gallery.lens.name
    for query, own, parts, indices, similarities in zip(queries, same, asked, *ranked, strict=True):
        if query.scale != 1:
            similarities = np.clip(similarities * np.float32(query.scale), -1, 1)
        if allowed is not None:
            own = own[allowed[own]]
        rest = ~np.isin(indices, np.concatenate([own, parts]))
        if query.likened is not None:
            similarities = gallery.knn.compare(query.likened, indices).max(axis=0)
        elif least is not None:
            rest &= similarities >= least
        ranking = [] if selection.others else [(place, 1.0) for place in own.tolist()]
        ranking += zip(indices[rest].tolist(), similarities[rest].tolist(), strict=True)
        hits = [
            Hit(gallery.files[place], value, folder / gallery.files[place], gallery.contents[place].tobytes())
            for place, value in ranking[:k]
        ]
        answers.append(
            Hits(
                hits,
                query=query.name,
                source=query.source,
                lens=lens,
                content=query.content,
                cache=cache,
                note=query.note,
            )
        )
    return answers
