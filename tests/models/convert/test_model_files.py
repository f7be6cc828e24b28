"""A model's files in a folder: which there must be, what tells them apart, and the licence of their card."""

import json
from pathlib import Path

import pytest

from lookalike.errors import BundleError
from lookalike.models.convert.model_files import check_files, digest_of_files, from_folder, licence_of

WHOLE = {"config.json", "preprocessor_config.json", "model.safetensors"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of the right names; nothing reads the weights here."""
    root = tmp_path / "small-model"
    root.mkdir()
    (root / "config.json").write_text(json.dumps({"model_type": "vit"}))
    (root / "preprocessor_config.json").write_text(json.dumps({"size": 8}))
    (root / "model.safetensors").write_bytes(b"weights")
    (root / "README.md").write_text("---\nlicense: 'mit'\n---\n# A model\n")
    return root


def test_a_folder_is_named_by_its_last_part_and_read_when_asked(folder: Path):
    files = from_folder(folder)
    assert (files.name, files.called, files.licence) == (str(folder), "small-model", "mit")
    assert files.origin == str(folder.resolve())
    assert (files.config(), files.preprocessor()) == ({"model_type": "vit"}, {"size": 8})


@pytest.mark.parametrize("file", sorted(WHOLE))
def test_the_key_hangs_on_each_file_and_not_on_the_card(folder: Path, file: str):
    before = from_folder(folder).key
    (folder / "README.md").write_text("another card")
    assert from_folder(folder).key == before
    (folder / file).write_bytes((folder / file).read_bytes() + b" ")
    assert from_folder(folder).key != before


def test_the_order_of_files_counts(folder: Path):
    files = [folder / "config.json", folder / "model.safetensors"]
    assert digest_of_files(files) != digest_of_files(files[::-1])
    assert len(digest_of_files(files)) == 32


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (set(), "x: no backbone, it has no config.json"),
        ({"model.safetensors"}, "x: a model of timm's, it has no config.json"),
        (WHOLE - {"model.safetensors"}, "x: no weights; model.safetensors is missing"),
        (WHOLE - {"model.safetensors"} | {"model.safetensors.index.json"}, "x: its weights lie in several files"),
        (WHOLE - {"model.safetensors"} | {"b.pth", "a.bin"}, "x: only a.bin, which can run code"),
        (WHOLE - {"preprocessor_config.json"}, "x: preprocessor_config.json is missing"),
    ],
)
def test_a_missing_file_is_one_line(there: set[str], words: str):
    check_files("x", WHOLE | there)
    with pytest.raises(BundleError) as error:
        check_files("x", there)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("", "unknown"),
        ("license: mit", "unknown"),
        ("---\ntags: []\n---\nlicense: mit", "unknown"),
        ('---\nlicense: "cc-by-4.0"\n---', "cc-by-4.0"),
    ],
)
def test_the_licence_stands_in_the_first_lines_of_a_card(card: str, licence: str):
    assert licence_of(card) == licence
