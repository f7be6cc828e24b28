"""A search in words, and of parts with weights: which there are, and the one query that they make."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lookalike.errors import QueryError
from lookalike.images.sources import are_many, as_source_list
from lookalike.index.query import Query, QueryResolver
from lookalike.index.words import Text, Weighted, as_weighted, blend, holds_words, text_query
from lookalike.models.backbone import Backbone
from lookalike.models.lens import PLAIN


class Asked:
    """What a search is asked with beside its query.

    Args:
        text: words, or several, with weights or without; None for none.
        positive, negative: pictures and words that the hits should be like, and unlike.
    Raises: QueryError, for a text that is none.

    Attributes:
        weighted: each part with its weight, below 0 where the hits should be unlike it; pictures first, then texts.
        in_words: whether there are words.
        blended: whether there are words or weights: then the parts are one query, ranked by their mean similarity.
    """

    def __init__(self, text: Any, positive: Any, negative: Any):
        texts = [_as_text(one) for one in ([] if text is None else list(text) if are_many(text) else [text])]
        given, against = [*as_source_list(positive), *texts], as_source_list(negative)
        self.in_words = any(map(holds_words, (*given, *against)))
        self.blended = self.in_words or any(isinstance(one, Weighted) for one in (*given, *against))
        self.weighted = list(map(as_weighted, given)) if self.blended else []
        if self.blended:
            self.weighted += [Weighted(one.source, -one.weight) for one in map(as_weighted, against)]

    def lens(self, named: str | None) -> str | None:
        """The lens to search through: plain for words.

        Raises: QueryError, where a lens was named for words: it is learned on pictures.
        """
        if self.in_words and named not in (None, PLAIN):
            raise QueryError(
                f"words through the lens {named}: a lens is learned on pictures and knows no words. Leave one of them "
                "out."
            )
        return PLAIN if self.in_words else named

    def query(
        self, first: Any, region: Sequence[float] | None, resolver: QueryResolver, backbone: Backbone, lens: str | None
    ) -> Query:
        """The one query of all parts, ranked by the weighted mean of the similarities to each.

        Args:
            first: what is asked with first; None for nothing.
            region: the part of it that is meant, where it is one picture alone.
            resolver: of the plain gallery where there are words.
            backbone: which knows words, where there are any.
            lens: in service: that words go past it is said in the query's note.
        Raises: QueryError, BundleError, MissingExtraError.
        """
        parts = [*([] if first is None else map(as_weighted, as_source_list(first))), *self.weighted]
        if region is not None and sum(one.weight > 0 and not holds_words(one) for one in parts) != 1:
            raise QueryError("a region of several pictures: crop them first with lookalike.images.crop.crop.")

        def queries() -> Iterator[tuple[Query, float]]:
            for one in parts:
                if isinstance(one.source, Text):
                    yield _worded(one.source, backbone), one.weight
                else:
                    yield resolver.resolve(one.source, region if one.weight > 0 else None), one.weight

        found = blend(list(queries()))
        if not self.in_words or lens is None:
            return found
        past = f"words search plain: the lens {lens} was learned on pictures and knows no words."
        return replace(found, note=" ".join(filter(None, (found.note, past))))


def _worded(text: Text, backbone: Backbone) -> Query:
    if not text.words.strip():
        raise QueryError("no words. Write what the pictures should show.")
    engine = backbone.text_engine
    _, share = backbone.bundle.joint
    return text_query(text, backbone.embed_text([text.words])[0], share, engine.is_cut(text.words))


def _as_text(one: Any) -> Any:
    """Words as a Text, whatever they came in. Raises: QueryError, for something else."""
    inside = one.source if isinstance(one, Weighted) else one
    if isinstance(inside, str):
        return Text(inside) if inside is one else Weighted(Text(inside), one.weight)
    if not isinstance(inside, Text):
        raise QueryError(f"a text that is {type(inside).__name__}: give words.")
    return one
