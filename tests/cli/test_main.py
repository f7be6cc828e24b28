"""The command: its two streams and its exit codes, and where they are made by Python itself, a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.pictures import draw

from lookalike import Collection
from lookalike.cli.main import main


def process(*words: object) -> subprocess.CompletedProcess[str]:
    """The command as people run it."""
    command = [sys.executable, "-m", "lookalike", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def lookalike(*words: object) -> Result:
    """The command in this process; a traceback of it fails the test here."""
    ran = CliRunner().invoke(main, [*map(str, words)], prog_name="lookalike")
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def test_from_a_folder_to_a_grid_in_two_commands(photos: Path, tmp_path: Path):
    first = process("index", photos)
    assert (first.returncode, first.stdout) == (0, "")
    assert "7 added" in first.stderr
    second = process("search", photos, photos / "1.png", "-k", 2, "--grid", tmp_path / "grid.png")
    assert second.returncode == 0
    assert second.stdout == "1.000\t1.png\n1.000\tsub/copy.png\n"
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_one_line_a_query_in_natural_order(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    for name in ["10.png", "2.png"]:
        (tmp_path / "ask").mkdir(exist_ok=True)
        (tmp_path / "ask" / name).write_bytes((photos / name).read_bytes())
    lines = lookalike("search", photos, tmp_path / "ask", "-k", 1, "--json").stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["hits"][0]["file"] for answer in answers] == ["2.png", "10.png"]
    assert answers[0]["lens"] == "plain"


def test_plus_and_minus_ask_with_several_pictures(photos: Path):
    lookalike("index", photos)
    run = lookalike("search", photos, "1.png", "--plus", "2.png", "--minus", "sub/a.jpg", "-k", 2, "--json")
    hits = Collection(photos).search("1.png", 2, positive=["2.png"], negative=["sub/a.jpg"])
    answer = json.loads(run.stdout)
    assert answer["query"] == "1.png + 2.png - sub/a.jpg"
    assert [one["file"] for one in answer["hits"]] == [hit.file for hit in hits]
    run = process("search", photos, "1.png", "2.png", "--plus", "2.png")
    assert (run.returncode, run.stdout) == (2, "")
    assert "--plus and --minus: name one QUERY" in run.stderr


def test_what_a_user_can_mend_is_one_line_and_exit_one(photos: Path):
    for words in (["search", photos, "x.jpg"], ["index", photos / "nowhere"], ["status", photos]):
        run = process(*words)
        assert run.returncode == 1
        assert run.stdout == ""
        assert len(run.stderr.splitlines()) == 1


def test_wrong_usage_is_one_line_that_says_where_to_look_and_exit_two(photos: Path):
    said = {
        ("search", photos): "lookalike search: Missing argument 'QUERY...' (or --text WORDS, --url URL, --clipboard). "
        "See: lookalike search --help\n",
        ("search", photos, "1.png", "-k", 0): "lookalike search: Invalid value for '-k': 0 is not in the range x>=1. "
        "See: lookalike search --help\n",
        ("searhc", photos): "lookalike: No such command 'searhc'. Did you mean 'search'? See: lookalike --help\n",
    }
    for words, line in said.items():
        run = process(*words)
        assert (run.returncode, run.stdout, run.stderr) == (2, "", line)


def test_a_pipe_that_closes_early_does_not_cost_the_grid(photos: Path, tmp_path: Path):
    """As in `lookalike search ... --grid grid.png | head -1`; here nobody reads at all."""
    lookalike("index", photos)
    reader, writer = os.pipe()
    os.close(reader)
    words = ["search", str(photos), "1.png", "--grid", str(tmp_path / "grid.png")]
    run = subprocess.run([sys.executable, "-m", "lookalike", *words], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, f"drawn: {tmp_path}/grid.png\n")
    assert (tmp_path / "grid.png").is_file()


def test_no_duplicates_are_said_in_one_line_and_no_similarity_is_refused(photos: Path):
    (photos / "sub/copy.png").unlink()
    lookalike("index", photos)
    run = lookalike("duplicates", photos, "--min-similarity", 1)
    assert (run.exit_code, run.stdout) == (0, "")
    assert run.stderr == "No two pictures have a similarity of 1. Lower --min-similarity.\n"
    run = lookalike("duplicates", photos, "--min-similarity", 3)
    assert (run.exit_code, run.stderr) == (1, "a least similarity of 3.0: similarities lie between -1 and 1.\n")


def test_copying_onto_a_file_says_so(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    (tmp_path / "file").touch()
    run = lookalike("search", photos, "1.png", "--copy-to", tmp_path / "file")
    assert (run.exit_code, run.stderr) == (1, f"{tmp_path}/file: a file. Name a folder to copy to.\n")


def test_status_names_the_refused_files(photos: Path):
    (photos / "broken.jpg").write_bytes(b"")
    lookalike("index", photos)
    assert "broken.jpg: empty file (0 bytes)" in lookalike("status", photos).stdout


def test_hits_are_copied_by_rank(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    lookalike("search", photos, photos / "2.png", "-k", 2, "--copy-to", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir())[0] == "001-2.png"
    assert (tmp_path / "out/001-2.png").read_bytes() == (photos / "2.png").read_bytes()


def test_importing_loads_no_heavy_library():
    check = (
        "import sys, lookalike.cli.main;"
        "print(sorted({'torch', 'openvino', 'lance', 'numkong', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_searching_loads_no_torch_and_no_telemetry(photos: Path):
    lookalike("index", photos)
    check = (
        "import sys, lookalike; lookalike.Collection(sys.argv[1]).search(sys.argv[2]);"
        "print(sorted(n for n in ('torch', 'openvino_telemetry') if sys.modules.get(n)))"
    )
    command = [sys.executable, "-c", check, str(photos), str(photos / "1.png")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_several_queries_in_a_pipe_are_three_columns(photos: Path):
    lookalike("index", photos)
    run = lookalike("search", photos, "2.png", "it's \n한글.png", "-k", 1)
    assert run.stdout == "2.png\t1.000\t2.png\nit's \\n한글.png\t1.000\tit's \\n한글.png\n"


def test_a_stray_file_among_queries_is_named_and_the_others_are_answered(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    (tmp_path / "ask").mkdir()
    (tmp_path / "ask/1.png").write_bytes((photos / "1.png").read_bytes())
    (tmp_path / "ask/notes.txt").write_text("not a picture")
    run = lookalike("search", photos, tmp_path / "ask", "-k", 1)
    assert (run.exit_code, run.stdout) == (0, "1.000\t1.png\n")
    assert "notes.txt: a text file" in run.stderr
    assert lookalike("search", photos, "1.png", "nowhere.png").exit_code == 1  # named, so it was meant


def test_what_is_foreseeable_is_one_line(photos: Path, tmp_path: Path):
    """No traceback, exit 1, and nothing on stdout that a program could take for an answer."""
    lookalike("index", photos)
    (tmp_path / "file.txt").touch()
    (tmp_path / "empty").mkdir()
    ask = ["search", photos, photos / "1.png"]
    for words, says in [
        (["index", tmp_path / "file.txt"], "a file. Name its folder."),
        (["search", tmp_path / "nowhere", "1.png"], "no such folder"),
        (["search", tmp_path / "empty", "1.png"], f"Run: lookalike index {tmp_path / 'empty'}"),
        (["search", photos, tmp_path / "empty"], "no files in it"),
        ([*ask, "--grid", tmp_path / "grid.jpg"], "End its name in .png"),
        ([*ask, "--grid", tmp_path / "empty"], "End its name in .png"),
        ([*ask, "--grid", tmp_path / "file.txt/grid.png"], "cannot be written"),
        ([*ask, "--where", "colour is red"], "colour is no column"),
        ([*ask, "--min-similarity", "nan"], "between -1 and 1"),
        ([*ask, "--lens", "unknown"], "no such lens"),
        (["map", photos, tmp_path / "map.jpg"], "End its name in .png"),
        (["export", photos, tmp_path / "x.docx"], "End it in .parquet"),
        (["export", photos, tmp_path / "file.txt/x.csv"], "cannot be written"),
    ]:
        run = lookalike(*words)
        assert (run.exit_code, run.stdout) == (1, ""), words
        assert says in run.stderr, run.stderr
        assert len(run.stderr.splitlines()) == 1


def test_copying_twice_to_one_folder_overwrites_nothing(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    for words, code in [("1.png", 0), ("1.png", 1)]:
        assert lookalike("search", photos, words, "-k", 1, "--copy-to", tmp_path / "out").exit_code == code
    lookalike("search", photos, "1.png", "2.png", "-k", 1, "--copy-to", tmp_path / "two")
    assert (tmp_path / "two/002-2/001-2.png").read_bytes() == (photos / "2.png").read_bytes()


def test_an_empty_folder_is_indexed_and_said_to_be_empty(tmp_path: Path):
    run = lookalike("index", tmp_path)
    assert (run.exit_code, len(run.stderr.splitlines())) == (0, 1)
    assert "no pictures in it" in run.stderr
    run = lookalike("duplicates", tmp_path)
    assert (run.exit_code, len(run.stderr.splitlines())) == (1, 1)


def test_a_closed_pipe_ends_quietly(photos: Path):
    lookalike("index", photos)
    line = f"{sys.executable} -m lookalike search '{photos}' 1.png --json | true; echo ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("0\n", "")


def test_duplicates_speak_json(photos: Path):
    lookalike("index", photos)
    lines = lookalike("duplicates", photos, "--json", "--min-similarity", 0.999).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"keep": "1.png", "others": [{"file": "sub/copy.png", "similarity": 1.0}]}
    ]


def test_csv_cells_that_would_be_formulas_are_text_and_a_charset_that_lacks_a_letter_is_no_error(photos: Path):
    draw(photos / "=사과.png", 77)
    lookalike("index", photos)
    command = [sys.executable, "-m", "lookalike", "search", str(photos), str(photos / "=사과.png"), "-k", "1", "--csv"]
    run = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "cp1252"}, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.splitlines()[1].endswith(b",1,1.000000,'=\\uc0ac\\uacfc.png,")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(photos: Path, closed: str):
    lookalike("index", photos)
    line = f"{sys.executable} -m lookalike search '{photos}' 1.png {closed}; exit $?"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (run.returncode, "Traceback" in run.stderr) == (0, False)


def test_ctrl_c_while_the_command_is_imported_is_one_line_and_130():
    code = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("lookalike", run_name="__main__", alter_sys=True)
"""
    run = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "Interrupted.\n")


def test_a_query_that_is_cut_short_is_answered_and_said(photos: Path, tmp_path: Path):
    lookalike("index", photos)
    draw(tmp_path / "cut.jpg", 61, size=(160, 160))
    content = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[:-9])
    done = lookalike("search", photos, tmp_path / "cut.jpg")
    assert done.exit_code == 0
    assert done.stderr.startswith(f"{tmp_path / 'cut.jpg'}: cut short, and read without its ")
    assert len(done.stdout.splitlines()) == 5
