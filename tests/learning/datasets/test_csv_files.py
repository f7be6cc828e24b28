"""Files are found by their names in a CSV: in both forms of Unicode, and by what is left of another machine's paths."""

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
    import unicodedata

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


def test_two_paths_of_another_machine_that_end_alike_are_not_taken_for_one_file(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"{seed}.png", seed)
    rows = ["/old/cat/0.png,cat", "/old/zebra/0.png,zebra", "/old/cat/1.png,cat", "/old/cat/2.png,cat"]
    rows += ["/old/zebra/3.png,zebra", "3.png,zebra", "2.png,cat", "1.png,cat"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows]))
    with pytest.raises(ExamplesError, match="2 labels, 1 of them with one picture"):
        read(tmp_path / "labels.csv")
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows, "0.png,zebra"]))
    found = read(tmp_path / "labels.csv")
    assert {path.name: found.label_names[label] for path, label in zip(found.paths, found.labels, strict=True)} == {
        "0.png": "zebra", "1.png": "cat", "2.png": "cat", "3.png": "zebra",
    }  # fmt: skip
    assert any("2 of 8 files, not found" in note or "2 of 9 files, not found" in note for note in found.notes)
