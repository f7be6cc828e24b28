"""Files are found by their names in a CSV: in both forms of Unicode, and by what is left of another machine's paths."""

import unicodedata
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_files import find_files
from lookalike.learning.datasets.readers import read


def test_a_name_is_tried_in_every_folder_and_a_file_has_one_row(tmp_path: Path):
    for name in ("a/1.png", "b/1.png", "b/2.png", "b/=3.png"):
        draw(tmp_path / name, len(name))
    names = ["1.png", "2.png", "./1.png", " 2.png ", "none.png", "'=3.png", "sub\\2.png"]
    files, row = find_files(names, [tmp_path / "a", tmp_path / "b"])
    assert [file.relative_to(tmp_path).as_posix() for file in files] == ["a/1.png", "b/2.png", "b/=3.png"]
    assert row.tolist() == [0, 1, 0, 1, -1, 2, -1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_and_labels_are_found_in_both_forms_of_unicode(tmp_path: Path, encoding: str, form: str):
    for seed in range(4):
        draw(tmp_path / unicodedata.normalize("NFC", f"사과é_{seed}.png"), seed)
    names = [unicodedata.normalize(form, f"사과é_{seed}.png") for seed in range(4)]
    labels = [unicodedata.normalize(one, "étoile") for one in ("NFC", "NFD")] + ["b", "b"]
    text = "file,label\n" + "".join(f"{name},{label}\n" for name, label in zip(names, labels, strict=True))
    (tmp_path / "labels.CSV").write_bytes(text.encode(encoding))
    found = read(tmp_path / "labels.CSV")
    assert (found.labels.tolist(), found.label_names) == ([0, 0, 1, 1], ("étoile", "b"))


@pytest.mark.parametrize("base", ["C:\\Users\\kim\\photos\\", "/home/kim/photos/", "D:/x/"])
def test_paths_of_another_machine_are_found_by_their_last_parts(tmp_path: Path, base: str):
    for seed in range(4):
        draw(tmp_path / f"trip/{seed}.png", seed)
    text = "file,label\n" + "".join(f"{base}trip/{seed}.png,{seed // 2}\n" for seed in range(4))
    (tmp_path / "labels.csv").write_text(text)
    assert read(tmp_path / "labels.csv").labels.tolist() == [0, 0, 1, 1]


def labels(folder: Path, *rows: str) -> Path:
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    return folder / "labels.csv"


def test_paths_of_another_machine_lie_below_one_folder_of_it(tmp_path: Path):
    for name in ("a/0.png", "a/1.png", "b/2.png", "b/3.png", "4.png"):
        draw(tmp_path / name, 1)
    rows = ["/old/p/a/0.png,x", "/old/p/a/1.png,x", "/old/p/b/2.png,y", "/old/p/b/3.png,y", "/old/p/c/4.png,y"]
    found = read(labels(tmp_path, *rows))
    assert [path.name for path in found.paths] == ["0.png", "1.png", "2.png", "3.png"]
    assert any("1 of 5 files, not found" in note and "/old/p/c/4.png" in note for note in found.notes)


def test_the_folder_of_another_machine_is_compared_as_that_machine_would(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"{seed}.png", seed)
    nfc, nfd = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    windows = ["C:\\Users\\Kim\\0.png,x", "c:\\users\\kim\\1.png,x", "C:/Users/Kim/2.png,y", "C:\\Users\\Kim\\3.png,y"]
    assert read(labels(tmp_path, *windows)).labels.tolist() == [0, 0, 1, 1]
    forms = [f"/{nfc}/0.png,x", f"/{nfd}/1.png,x", f"/{nfc}/2.png,y", f"/{nfd}/3.png,y"]
    assert read(labels(tmp_path, *forms)).labels.tolist() == [0, 0, 1, 1]
    cases = ["/home/Kim/0.png,x", "/home/Kim/1.png,x", "/home/Kim/2.png,y", "/home/kim/3.png,y", "/home/Kim/4.png,y"]
    draw(tmp_path / "4.png", 4)
    assert [path.name for path in read(labels(tmp_path, *cases)).paths] == ["0.png", "1.png", "2.png", "4.png"]


def test_a_path_of_another_machine_whose_end_is_a_file_that_another_line_means_is_refused(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"{seed}.png", seed)
    for end in ("0.png,zebra", "./0.png,cat"):
        rows = ["/old/cat/0.png,cat", "/old/cat/1.png,cat", "2.png,zebra", "3.png,zebra", end]
        with pytest.raises(ExamplesError, match=r"/old/cat/0\.png is not here, .* named as (\./)?0\.png\. Name all"):
            read(labels(tmp_path, *rows))


def test_paths_that_would_lie_below_different_folders_are_refused(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"{seed}.png", seed)
    rows = ["/old/cat/0.png,cat", "/old/cat/1.png,cat", "/old/zebra/2.png,zebra", "/old/zebra/3.png,zebra"]
    with pytest.raises(
        ExamplesError, match=r"/old/cat/0\.png would be .*0\.png, and /old/zebra/2\.png would be .*2\.png"
    ):
        read(labels(tmp_path, *rows))


def test_names_are_found_in_any_form_of_unicode_of_every_part(tmp_path: Path):
    nfd, nfc = (unicodedata.normalize(form, "사과/é.png") for form in ("NFD", "NFC"))
    mixed = unicodedata.normalize("NFD", "사과") + unicodedata.normalize("NFC", "/é.png")
    draw(tmp_path / mixed, 1)
    for name in (nfd, nfc, mixed, f"/old/{nfc}"):
        assert find_files([name], [tmp_path])[1].tolist() == [0]
