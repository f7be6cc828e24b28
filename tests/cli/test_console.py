"""What people see in a terminal: looked at through a real one of a given width."""

import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from lookalike.cli import console
from lookalike.index.hits import Hit, Hits
from lookalike.progress import Progress

LONG = "a folder with a long name/and one within/and a picture whose name nobody will ever type 0042.jpg"
HANGUL = "여름 휴가 사진/제주도 해변에서 찍은 아주 긴 이름의 사진 12.jpg"


def seen(width: int, *files: str, links: bool = False) -> str:
    """The table as a terminal of this width shows it."""
    hits = Hits([Hit(file, 0.5, Path("/photos") / file) for file in files], query="q.jpg", source=None)
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=links, emoji=False, markup=False).print(console.table(hits))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_name_is_cut_and_no_line_is_wider_than_the_terminal(width: int):
    from rich.cells import cell_len

    text = seen(width, LONG, HANGUL, "short.jpg")
    assert max(map(cell_len, text.splitlines())) <= width
    shown = "".join(line.split("0.500")[-1] for line in text.splitlines()[4:])
    for file in (LONG, HANGUL, "short.jpg"):
        assert file.replace(" ", "") in shown.replace(" ", "")


def test_a_table_has_rank_similarity_and_file_under_the_query():
    words = [line.split() for line in seen(80, "a.jpg", "b.jpg").splitlines() if line.strip()]
    assert words[0] == ["q.jpg", "plain"]
    assert words[1] == ["rank", "similarity", "file"]
    assert words[3:] == [["1", "0.500", "a.jpg"], ["2", "0.500", "b.jpg"]]


def test_what_looks_like_markup_or_an_emoji_code_is_a_name_like_any_other():
    assert "[bold]x[/] :smile: 12.jpg" in seen(80, "[bold]x[/] :smile: 12.jpg")


def test_files_are_links_where_the_terminal_knows_links():
    assert re.search(r"\x1b\]8;[^;]*;file:///photos/a%20b\.jpg\x1b\\", seen(80, "a b.jpg", links=True))


# Taken by the new process itself: a function run between fork and exec would fork this one, where Lance has threads.
AS_ITS_TERMINAL = """
import fcntl, runpy, signal, termios
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("lookalike", run_name="__main__", alter_sys=True)
"""


def in_a_terminal(*words: object, columns: int = 80, stop_at: bytes = b"") -> tuple[str, int]:
    """Run the command in a terminal of its own: what it shows, and its exit code. Ctrl-C once it shows stop_at."""
    import fcntl
    import pty
    import struct
    import termios

    mother, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):  # of whoever runs the tests
        environment.pop(name, None)
    command = [sys.executable, "-c", AS_ITS_TERMINAL, *map(str, words)]
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
    )
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(mother, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
        if stop_at and stop_at in shown:
            os.write(mother, b"\x03")
            stop_at = b""
    os.close(mother)
    return shown.decode(), process.wait(60)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are for POSIX systems")
def test_in_a_terminal_people_see_a_table_and_in_a_pipe_programs_read_tabs(photos: Path):
    shown, code = in_a_terminal("index", photos)
    assert code == 0
    assert "7 added" in shown
    shown, code = in_a_terminal("search", photos, photos / "1.png", "-k", 2)
    assert code == 0
    assert "rank" in shown
    assert "]8;" in shown
    command = [sys.executable, "-m", "lookalike", "search", str(photos), str(photos / "1.png"), "-k", "2"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "1.000\t1.png\n1.000\tsub/copy.png\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are for POSIX systems")
def test_ctrl_c_while_indexing_is_one_line_and_130_and_gives_the_cursor_back(tmp_path: Path):
    from support.pictures import draw

    for seed in range(400):
        draw(tmp_path / f"{seed}.png", seed, (640, 480))
    shown, code = in_a_terminal("index", tmp_path, "--threads", 1, stop_at=b"pictures/s")
    assert code == 130, shown
    assert "Traceback" not in shown
    assert "Interrupted. What was committed is kept; run the same command to continue." in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
    status = subprocess.run(
        [sys.executable, "-m", "lookalike", "status", str(tmp_path), "--json"], capture_output=True, text=True
    )
    assert json.loads(status.stdout)["pictures"] < 400


def test_a_folder_of_queries_is_found_in_any_form_of_unicode(tmp_path: Path):
    nfc, nfd = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    (tmp_path / nfd).mkdir()
    (tmp_path / nfd / "a.png").touch()
    assert console.query_files([str(tmp_path / nfc), "é.png"]) == [str(tmp_path / nfd / "a.png"), "é.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are for POSIX systems")
@pytest.mark.parametrize("columns", [20, 1])
def test_in_a_narrow_terminal_names_are_whole_and_progress_is_one_line(photos: Path, columns: int):
    shown, code = in_a_terminal("index", photos, columns=columns)
    assert (code, "Traceback" in shown) == (0, False)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", shown).replace("\r", "\n").split("\n")
    assert all(len(line) <= 20 for line in drawn if line.startswith("indexing"))
    shown, code = in_a_terminal("search", photos, photos / "1.png", "-k", 2, columns=columns)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert (code, re.findall(r"1\.000\t\S+", plain)) == (0, ["1.000\t1.png", "1.000\tsub/copy.png"])


def test_a_log_gets_a_line_each_half_minute_and_of_long_work_each_hundredth(capsys: pytest.CaptureFixture[str]):
    """At 1 s a picture, 10,000 pictures: none before 30 s, one a hundredth (100 s), and one for the next stage."""
    clock = [0.0]
    lines = console.ProgressLines(" pictures/s", now=lambda: clock[0])
    for done in range(1, 251):
        clock[0] = float(done)
        lines.progress(Progress("indexing", done, 10_000, 1.0, 10_000.0 - done))
    for done in (1, 2):
        clock[0] += 20
        lines.progress(Progress("proving", done, 4))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "indexing: 30 of 10,000  1 pictures/s  2.8 h left",
        "indexing: 130 of 10,000  1 pictures/s  2.7 h left",
        "indexing: 230 of 10,000  1 pictures/s  2.7 h left",
        "proving: 1 of 4",
    ]


def test_slow_work_gets_a_line_each_ten_minutes(capsys: pytest.CaptureFixture[str]):
    clock = [0.0]
    lines = console.ProgressLines(now=lambda: clock[0])
    for minute in range(1, 25):
        clock[0] = 60.0 * minute
        lines.progress(Progress("indexing", minute, 1_000_000))
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_pipe_and_a_dumb_terminal_get_no_control_characters(photos: Path, term: str):
    command = [sys.executable, "-m", "lookalike", "index", str(photos)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "TERM": term})
    assert not {"\r", "\x1b"} & set(done.stderr)
