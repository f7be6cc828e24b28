"""What a search can be asked with stands in two forms, which are the same."""

from dataclasses import fields

from lookalike.collection.search_options import SearchKeywords, SearchOptions


def test_every_keyword_of_search_is_an_option_with_a_default():
    options = {field.name: field for field in fields(SearchOptions)}
    assert set(options) == {"k", *SearchKeywords.__annotations__}
    assert SearchOptions() == SearchOptions(5, approximate=False, where=None, positive=(), text=())
    assert SearchOptions(None, approximate=True).approximate
