"""What people say of a collection's pictures is kept, listed and taken back."""

from pathlib import Path

import pytest
from support.badges import table

from lookalike import Collection
from lookalike.errors import QueryError


def test_judgements_are_kept_listed_and_taken_back(own_badges: Collection, tmp_path: Path):
    assert own_badges.judge("kind-00/0.png", yes=["kind-00/1.png"], no=["kind-01/0.png", "kind-02/0.png"]) == 2
    assert own_badges.judge(own_badges.folder / "kind-01/0.png", yes=[own_badges.folder / "kind-01/1.png"]) == 1
    rows = [("kind-02/0.png", "kind-02/1.png", "")]
    assert own_badges.judge_from(table(tmp_path / "x.csv", "query,yes,no", rows)) == 1
    own_badges.judgements.undo()
    told = [(one.query, one.yes, one.no) for one in own_badges.judgements.standing()]
    assert told[0] == ("kind-00/0.png", "kind-00/1.png", "kind-01/0.png") and len(told) == 3
    with pytest.raises(QueryError, match=r"nowhere\.png: not a picture of"):
        own_badges.judge("kind-00/0.png", yes=["nowhere.png"])


def test_one_name_alone_and_a_hit_are_judged(own_badges: Collection):
    assert own_badges.judge("kind-00/0.png", "kind-00/1.png", own_badges.search("kind-01/0.png", k=1)[0]) == 1
    told = own_badges.judgements.standing()[-1]
    assert (told.query, told.yes, told.no) == ("kind-00/0.png", "kind-00/1.png", "kind-01/0.png")
    with pytest.raises(QueryError, match="NoneType names no picture"):
        own_badges.judge("kind-00/0.png", None)
