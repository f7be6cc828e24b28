"""The page's files: words, sizes, and what was taken from others."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

import lookalike

STATIC = Path(lookalike.__file__).parent / "server/static"
OURS = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "vendor")
MOST_GZIPPED, MOST_IN_ONE_PIECE = 120_000, 80_000


def locale(name: str) -> dict[str, str | dict[str, str]]:
    return dict(json.loads((STATIC / f"locales/{name}.json").read_text(encoding="utf-8")))


def name_of(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


def test_both_languages_have_the_same_keys_and_the_same_values_to_fill_in():
    english, korean = locale("en"), locale("ko")
    assert set(english) == set(korean)
    for key in english:
        one, other = (set(re.findall(r"\{(\w+)\}", json.dumps(words[key]))) for words in (english, korean))
        assert one == other, key
        assert isinstance(english[key], dict) == isinstance(korean[key], dict), key


def test_every_plural_has_the_form_for_all_other_numbers():
    for words in (locale("en"), locale("ko")):
        assert all("other" in one for one in words.values() if isinstance(one, dict))


def test_every_key_that_the_code_names_has_words():
    """t("ask.drop"), and t(`nav.${name}`) by its beginning."""
    words = locale("en")
    for path in OURS:
        text = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"))
        for key in re.findall(r"""\bt\(\s*(?:\w+ \? )?"([\w. ]+)\"""", text):
            assert key in words, f"{name_of(path)}: {key}"
        for start in re.findall(r"\bt\(`([\w.]+\.)\$\{", text):
            assert any(key.startswith(start) for key in words), f"{name_of(path)}: {start}"


def test_every_row_of_the_key_table_has_words():
    keys = re.findall(r'\{ id: "(\w+)", in: "(\w+)"', (STATIC / "keys.js").read_text(encoding="utf-8"))
    assert len(keys) >= 24
    words = locale("en")
    for name, part in keys:
        assert f"key.{name}" in words
        assert f"help.{part}" in words


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_no_words_stand_in_the_code(path: Path):
    """Neither as text between tags nor in an attribute that people read or hear; "lookalike" is a name."""
    text = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    templates = "".join(re.findall(r"html`(.*)`", text, re.DOTALL))
    templates = re.sub(r"<code>.*?</code>", "", re.sub(r"=>", "", templates))
    between = re.findall(r">([^<>${}`]+)<", templates)
    found = [one.strip() for one in between if re.search(r"[A-Za-z]{3}", one) and not re.search(r"[=(;?]", one)]
    assert [one for one in found if one != "lookalike"] == []
    assert re.findall(r'(?:aria-label|title|placeholder|alt)="[A-Za-z]{2}[^"]*"', text) == []


@pytest.mark.parametrize("path", [*OURS, *STATIC.rglob("styles/*.css")], ids=name_of)
def test_a_file_says_what_it_is_and_stays_small(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(("// ", "/* "))
    assert len(lines) <= 200


def test_all_files_together_stay_small():
    """In one piece, as bundles are weighed, and one by one, which repeats in each file what the others say too."""
    names = (".js", ".css", ".json", ".svg", ".html")
    files = [path for path in sorted(STATIC.rglob("*")) if path.suffix in names and path.name != "vendor.json"]
    code = b"".join(path.read_bytes() for path in files if path.suffix in (".js", ".css"))
    assert len(gzip.compress(code, 9)) < MOST_IN_ONE_PIECE
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) < MOST_GZIPPED


def test_every_file_from_elsewhere_is_the_one_that_was_named_and_has_its_licence():
    vendor = STATIC / "vendor"
    listed = json.loads((vendor / "vendor.json").read_text(encoding="utf-8"))
    files = {path.name for path in vendor.iterdir() if path.suffix in (".js", ".css")}
    assert {one["file"] for one in listed} == files
    for one in listed:
        assert hashlib.sha256((vendor / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]
        assert len((vendor / one["licence_file"]).read_text(encoding="utf-8")) > 500
        assert one["licence"] in ("MIT", "Apache-2.0")


def test_modules_import_only_files_that_are_there():
    """Browsers know no package names: every import is the relative name of a file."""
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r'(?:^|;|\})(?:import|export)\b[^;`()]*?\bfrom\s*"([^"]+)"', text, re.MULTILINE):
            assert target.startswith("."), f"{name_of(path)}: {target}"
            assert (path.parent / target).resolve().is_file(), f"{name_of(path)}: {target}"


def test_the_page_names_every_module_of_the_first_view():
    """So that a browser asks for all at once; python tools/preload_page.py writes them."""
    needed, level = set(), [STATIC / "begin.js", STATIC / "app.js"]
    while level:
        needed |= set(level)
        texts = [(path, path.read_text(encoding="utf-8")) for path in level]
        imports = r'(?:^|;|\})(?:import|export)\b[^;`()]*?"(\.[^"]+)"'
        found = [(path.parent / name).resolve() for path, text in texts for name in re.findall(imports, text, re.M)]
        level = [path for path in set(found) if path not in needed]
    links = re.findall(r'rel="modulepreload" href="/static/([^"]+)"', (STATIC / "index.html").read_text("utf-8"))
    assert sorted(links) == sorted(name_of(path) for path in needed)
    assert not any(link.startswith("views/") for link in set(links) - {"views/shell.js", "views/library.js"})


def test_every_part_that_is_fetched_later_is_exported_by_its_file():
    text = (STATIC / "components/later.js").read_text(encoding="utf-8")
    parts = re.findall(r'(\w+): "((?:views|components)/[\w-]+)"', text)
    assert len(parts) >= 15
    for name, file in parts:
        assert f"export function {name}(" in (STATIC / f"{file}.js").read_text(encoding="utf-8"), name
    used = "".join(path.read_text(encoding="utf-8") for path in OURS if path.name != "later.js")
    names = {name for name, _ in parts}
    assert set(re.findall(r'part="(\w+)"', used)) <= names
    assert {name for name in names if f'"{name}"' not in used} == set()


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline():
    """The headers forbid it, so it would not work either."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)=\"(?!/static/)[^\"]*\"", page) == []
    assert not re.search(r"<style|style=|<script(?![^>]*src)", page)
    for path in [*OURS, *STATIC.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)|\beval\(|new Function", text), path
        assert not re.search(r'style="', text), path
