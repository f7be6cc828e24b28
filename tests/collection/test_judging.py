"""Judgements name pictures of the collection, are kept, listed and undone."""

import unicodedata
from pathlib import Path

import pytest
from support.badges import table

from lookalike import Collection
from lookalike.collection.judging import FileNames
from lookalike.errors import AmbiguousNameError, ExamplesError, QueryError
from lookalike.names import NameIndex


def test_a_picture_is_found_by_its_name_and_by_any_path_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    names = FileNames(tmp_path / "photos", NameIndex(sorted(["a/1.jpg"])))
    monkeypatch.chdir(tmp_path)
    given = ["a/1.jpg", "photos/a/1.jpg", Path("photos/b/../a/1.jpg"), tmp_path / "photos/a/1.jpg"]
    assert [names.find(one) for one in given] == ["a/1.jpg"] * 4
    for other in ("1.jpg", "photos/a/2.jpg", tmp_path / "a/1.jpg"):
        with pytest.raises(QueryError, match="not a picture of"):
            names.find(other)


def test_a_name_in_another_form_of_unicode_is_the_same_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nfc, nfd = (unicodedata.normalize(form, "été/é.png") for form in ("NFC", "NFD"))
    folder = tmp_path / unicodedata.normalize("NFD", "école")
    names = FileNames(folder, NameIndex(sorted([nfd, "1.png"])))
    (folder / nfd).parent.mkdir(parents=True)
    (folder / nfd).touch()
    monkeypatch.chdir(tmp_path)
    other = Path(unicodedata.normalize("NFC", "école"))
    given = [nfc, nfd, folder / nfc, other / nfc, str(tmp_path / other / nfd)]
    assert [names.find(one) for one in given] == [nfd] * 5
    both = FileNames(folder, NameIndex(sorted([nfc, nfd])))
    assert [both.find(one) for one in (nfc, nfd)] == [nfc, nfd]
    with pytest.raises(AmbiguousNameError, match="2 files have this name"):
        both.find(unicodedata.normalize("NFD", "été") + unicodedata.normalize("NFC", "/é.png"))


def test_every_way_to_judge_takes_any_form_of_a_name_and_keeps_the_collection_s(own_badges: Collection, tmp_path: Path):
    nfc, nfd = (unicodedata.normalize(form, "kind-00/é.png") for form in ("NFC", "NFD"))
    (own_badges.folder / "kind-00/0.png").rename(own_badges.folder / nfd)
    own_badges.index()
    own_badges.judge(nfc, ["kind-00/1.png"], ["kind-01/1.png"])
    own_badges.judge("kind-00/2.png", own_badges.folder / nfc)
    own_badges.judge_from(table(tmp_path / "x.csv", "query,yes,no", [("kind-01/0.png", "kind-01/1.png", nfc)]))
    told = [(one.query, one.yes, one.no) for one in own_badges.judgements.standing()]
    assert told == [
        (nfd, "kind-00/1.png", "kind-01/1.png"),
        ("kind-00/2.png", nfd, None),
        ("kind-01/0.png", "kind-01/1.png", nfd),
    ]
    (own_badges.folder / nfd).rename(own_badges.folder / nfc)  # copied to another system meanwhile
    assert nfc in {path.relative_to(own_badges.folder).as_posix() for path in own_badges.judgements.examples(
        own_badges.folder
    ).paths}  # fmt: skip


def test_judgements_of_an_older_encoding_are_read_where_they_name_pictures(own_badges: Collection, tmp_path: Path):
    for old, new in [("0", "사과"), ("1", "배")]:
        (own_badges.folder / f"kind-00/{old}.png").rename(own_badges.folder / f"kind-00/{new}.png")
    own_badges.index()
    text = "query,yes\nkind-00/사과.png,kind-00/배.png\n"
    (tmp_path / "x.csv").write_bytes(text.encode("cp949"))
    assert own_badges.judge_from(tmp_path / "x.csv") == 1
    assert own_badges.judgements.standing()[-1].files == {"kind-00/사과.png", "kind-00/배.png"}
    (tmp_path / "x.csv").write_bytes(text.replace("배", "감").encode("cp949"))
    with pytest.raises(QueryError, match=r"감\.png: not a picture of"):
        own_badges.judge_from(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_bytes(text.replace("배", "감").replace("사과", "귤").encode("cp949"))
    with pytest.raises(ExamplesError, match="line 2 is not UTF-8"):
        own_badges.judge_from(tmp_path / "x.csv")


def test_an_exact_path_comes_before_a_name_in_another_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nfc, nfd = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    names = FileNames(tmp_path, NameIndex(sorted([nfd, f"sub/{nfc}"])))
    assert [names.find(one) for one in (nfc, nfd)] == [f"sub/{nfc}", nfd]
