"""Queries and a gallery -> Hits: the first k of each, in one pass over the ranking."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Answers, Hit, Hits
from lookalike.index.query import Query
from lookalike.models.lens import PLAIN


def search(
    queries: Sequence[Query],
    gallery: Gallery,
    folder: Path,
    k: int | None,
    others: bool = False,
    where: str | None = None,
    min_similarity: float | None = None,
    cache: Path | None = None,
) -> Answers:
    """The k pictures most like each query, the most similar first, equal ones in the order of their files.

    Args:
        queries: resolved in this gallery.
        gallery: what is searched.
        folder: where its files lie.
        k: how many; None for all.
        others: leave out the pictures of the query's own content, which come first otherwise, with 1.0: a picture is
            itself, whatever the last bit of a cosine says.
        where: an SQL condition; applied before ranking, so that k are found when there are as many.
        min_similarity: leave out hits below it, -1 to 1.
        cache: where the hits' thumbnails are kept.
    Raises: QueryError, when one of these is out of its range, or the condition is none.
    """
    if k is not None and k < 1:
        raise QueryError(f"k is {k}: ask for at least one hit.")
    if min_similarity is not None and not -1 <= min_similarity <= 1:
        raise QueryError(f"a least similarity of {min_similarity}: similarities lie between -1 and 1.")
    allowed = None if where is None else gallery.filter(where)
    if not queries:
        return Answers()
    same = [gallery.copies_of(query.content) for query in queries]
    # Own pictures are put first or left out below, so as many more are ranked.
    more = None if k is None else k + max(map(len, same))
    ranked = gallery.knn.search(np.stack([query.vector for query in queries]), more, allowed)
    answers, lens = Answers(), PLAIN if gallery.lens is None else gallery.lens.name
    for query, own, indices, similarities in zip(queries, same, *ranked, strict=True):
        if allowed is not None:
            own = own[allowed[own]]
        rest = ~np.isin(indices, own)
        if min_similarity is not None:
            rest &= similarities >= min_similarity
        found = [] if others else [(place, 1.0) for place in own.tolist()]
        found += zip(indices[rest].tolist(), similarities[rest].tolist(), strict=True)
        hits = [
            Hit(gallery.files[place], value, folder / gallery.files[place], gallery.contents[place].tobytes())
            for place, value in found[:k]
        ]
        answers.append(Hits(hits, query=query.name, source=query.source, lens=lens, content=query.content, cache=cache))
    return answers
