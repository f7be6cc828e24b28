"""What a machine can check of how we write, so that reviews need not."""

import ast
import re
from pathlib import Path

import pytest

import lookalike

SRC = Path(lookalike.__file__).parent
# A folder imports from the lines above its own, never from a neighbour on its line.
FOLDERS = [
    ["errors", "files", "progress", "text"],
    ["names"],
    ["images", "drawing"],
    ["models"],
    ["index", "learning"],
    ["distributed"],
    ["collection"],
    ["server"],
    ["cli"],
    ["__main__"],
]
# The same inside learning/.
LEARNING = [
    ["labels", "labelled_features", "config", "feature_set", "provenance"],
    ["datasets", "closed_form"],
    ["evaluation"],
    ["training"],
    ["finetuning"],
    ["pipeline"],
    ["finetune_pipeline"],
]
TORCH = ["learning/training", "learning/finetuning", "models/convert"]
FILES = sorted(SRC.rglob("*.py"))


def imports(path: Path) -> list[tuple[str, str]]:
    """Every import of a file, wherever in it and for types too: the module, and the name taken from it or ''."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return found


def our_modules(path: Path) -> set[str]:
    """The modules of ours that a file imports: "images.decode"; of a package's own names the package."""
    found = set()
    for module, name in imports(path):
        if module.split(".")[0] != "lookalike":
            continue
        whole = f"{module}.{name}".removeprefix("lookalike.")
        is_module = (SRC / whole.replace(".", "/")).with_suffix(".py").is_file() or (
            SRC / whole.replace(".", "/")
        ).is_dir()
        found.add(whole if name and is_module else module.removeprefix("lookalike").removeprefix("."))
    return found - {""}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


def level(order: list[list[str]], name: str) -> int:
    return next(place for place, names in enumerate(order) if name in names)


@pytest.mark.parametrize("path", [path for path in FILES if path != SRC / "__init__.py"], ids=module_of)
def test_a_file_imports_only_from_folders_above_its_own(path: Path):
    own = module_of(path).split(".")
    for module in our_modules(path):
        other = module.split(".")
        if own[0] != other[0]:
            assert level(FOLDERS, other[0]) < level(FOLDERS, own[0]), f"{module_of(path)} imports {module}"
        elif own[0] == "learning" and len(own) > 1 and len(other) > 1 and own[1] != other[1]:
            here, there = level(LEARNING, own[1]), level(LEARNING, other[1])
            assert there < here or (there == here == 0), f"{module_of(path)} imports {module}"


def test_no_two_files_import_each_other_by_any_way_round():
    graph = {module_of(path): our_modules(path) for path in FILES if path != SRC / "__init__.py"}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module in done or module not in graph:
            return
        for other in graph[module]:
            visit(other, (*way, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_the_root_stays_small():
    entries = [path.name for path in SRC.iterdir() if path.name not in {"__pycache__", "py.typed"}]
    assert len(entries) <= 16, sorted(entries)


def test_torch_is_imported_in_three_folders_only():
    for path in FILES:
        if not any(path.is_relative_to(SRC / folder) for folder in TORCH):
            assert not any(module.split(".")[0] == "torch" for module, _ in imports(path)), path


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_opens_with_one_sentence_and_stays_under_350_lines(path: Path):
    text = path.read_text(encoding="utf-8")
    assert re.match(r'r?""".+?"""', text, re.DOTALL)
    assert len(text.splitlines()) <= 350
    assert path.stem not in {"utils", "helpers", "common"}


@pytest.mark.parametrize("path", [path for path in FILES if not path.is_relative_to(SRC / "cli")], ids=module_of)
def test_only_the_command_line_prints_or_exits(path: Path):
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    assert not calls & {"print", "sys.exit", "exit", "click.echo"}


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_no_function_takes_more_than_seven_parameters_but_verbs_of_the_shell():
    found = set()
    for path in FILES:
        for node in functions(path):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if len([one for one in every if one.arg not in {"self", "cls"}]) > 7 and not path.is_relative_to(
                SRC / "cli"
            ):
                found.add(f"{path.relative_to(SRC).as_posix()}:{node.name}")
    assert found == set()


def test_keyword_arguments_have_types():
    for path in FILES:
        for node in functions(path):
            kwargs = node.args.kwarg
            assert kwargs is None or ast.unparse(kwargs.annotation or ast.Constant(None)) not in {"Any", "None"}, path


def test_own_imports_inside_functions_are_few_and_for_weight():
    found = set()
    for path in FILES:
        for node in functions(path):
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom) and (inner.module or "").split(".")[0] == "lookalike":
                    found.add(f"{module_of(path)}: {inner.module}")
    assert len(found) <= 20, sorted(found)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_module_of_over_40_lines_has_its_test_file(path: Path):
    if path.stem.startswith("__") or len(path.read_text(encoding="utf-8").splitlines()) <= 40:
        return
    test = Path(__file__).parent / path.relative_to(SRC).with_name(f"test_{path.name}")
    assert test.is_file(), f"{path.relative_to(SRC)} has no {test.relative_to(Path(__file__).parent)}"


def test_every_public_name_is_there_and_documented():
    words = (Path(__file__).parents[1] / "docs/python.md").read_text(encoding="utf-8")
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
        assert f"`{name}" in words, f"docs/python.md does not name {name}"


def test_the_command_reference_is_the_one_that_help_prints():
    """Written anew by: python tools/write_reference.py"""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
    from write_reference import reference

    assert (Path(__file__).parents[1] / "docs/command-line.md").read_text(encoding="utf-8") == reference()
