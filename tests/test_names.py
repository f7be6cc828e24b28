"""One name in several forms of Unicode: compared in one form, found exactly first, told apart where there are two."""

import unicodedata
from pathlib import Path

import pytest

from lookalike.errors import AmbiguousNameError
from lookalike.names import Folders, NameIndex, name_within, one_form

NFC, NFD = (unicodedata.normalize(form, "사과é.png") for form in ("NFC", "NFD"))
MIXED = unicodedata.normalize("NFD", "사과") + unicodedata.normalize("NFC", "é.png")


def test_every_form_of_a_name_is_compared_as_one():
    assert len({NFC, NFD, MIXED}) == 3
    assert {one_form(name) for name in (NFC, NFD, MIXED)} == {NFC}
    assert one_form("caf\udce9") == "caf\udce9"  # a byte that is no UTF-8 stays what it is


@pytest.mark.parametrize("stored", [NFC, NFD, MIXED])
def test_a_name_is_found_in_any_form(stored: str):
    index = NameIndex(sorted(["a.png", stored, "z.png"]))
    assert [index.files[index.find(asked)] for asked in (NFC, NFD, MIXED, "a.png")] == [stored] * 3 + ["a.png"]
    assert index.find("사과e.png") is index.find("b.png") is None
    assert NameIndex(["K.png"]).find("\u212a.png") == 0  # the Kelvin sign is a K


def test_of_two_forms_the_exact_one_is_meant_and_neither_is_an_error_that_names_both():
    index = NameIndex(sorted([NFC, NFD]))
    assert [index.files[index.find(asked)] for asked in (NFC, NFD)] == [NFC, NFD]
    with pytest.raises(AmbiguousNameError) as caught:
        index.find(MIXED)
    assert ascii(NFC) in str(caught.value) and ascii(NFD) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_is_found_on_the_disk_whatever_form_its_folders_and_its_name_are_asked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / unicodedata.normalize("NFD", "été") / "a"
    folder.mkdir(parents=True)
    (folder / NFC).touch()
    asked = tmp_path / unicodedata.normalize("NFC", "été") / "a"
    for name in (NFC, NFD, MIXED):
        assert Folders().find(asked / name) == str(folder / NFC)
    assert Folders().find(asked / "none.png") is Folders().find(tmp_path / "é\0") is None
    assert Folders().find("é/" * 5000) is None
    monkeypatch.chdir(folder)
    assert Folders().find(NFD) == NFC
    (folder / NFD).touch()
    assert [Folders().find(one) for one in (NFC, NFD)] == [NFC, NFD]
    with pytest.raises(AmbiguousNameError, match="other forms of Unicode"):
        Folders().find(asked / MIXED)


def test_a_path_has_a_name_within_the_folder_it_lies_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert name_within("p/b/../a.png", tmp_path / "p") == name_within(tmp_path / "p/a.png", Path("p")) == "a.png"
    assert name_within("a.png", tmp_path / "p") is name_within("a\0", tmp_path) is None
