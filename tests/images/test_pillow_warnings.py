"""Nothing that Pillow and its libraries have to say reaches the user past our own errors."""

import logging
import subprocess
import sys
import threading
import warnings

import pytest

from lookalike.images.pillow_warnings import silence


def test_warnings_are_silent_within_and_heard_again_outside():
    with silence():
        warnings.warn("within", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_warnings_are_silent_however_often_a_program_sets_its_own_filters():
    for _ in range(3):
        warnings.simplefilter("error")
        with silence(), silence():
            warnings.warn("within", UserWarning, stacklevel=1)
    assert sum("_Decoding" in repr(one) for one in warnings.filters) == 1


def test_the_warnings_of_other_threads_are_heard_meanwhile():
    heard = []

    def other() -> None:
        try:
            warnings.warn("from elsewhere", UserWarning, stacklevel=1)
        except UserWarning as warning:  # the tests run with warnings as errors
            heard.append(str(warning))

    with silence():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert heard == ["from elsewhere"]


def test_pillows_log_lines_need_a_listener_of_the_programs_own(caplog):
    with silence():
        logging.getLogger("PIL.TiffImagePlugin").error("for who listens")
    assert caplog.messages == ["for who listens"]


def test_nothing_reaches_stderr_while_broken_tiffs_are_read(real_data):
    """At the level of the file descriptor: libtiff writes past Python. The same files through Pillow alone are loud."""
    files = [str(file) for file in sorted((real_data / "odd_files" / "broken").glob("*.tif"))]
    ours = """
import sys
from pathlib import Path
from lookalike.errors import ImageError
from lookalike.images.decode import load
for file in sys.argv[1:]:
    try:
        load(Path(file))
        print("read")
    except ImageError:
        print("refused")
"""
    pillow = """
import sys
from PIL import Image
for file in sys.argv[1:]:
    try:
        Image.open(file).load()
    except (OSError, ValueError):
        pass
"""
    run = subprocess.run([sys.executable, "-c", ours, *files], capture_output=True, text=True, check=True)
    assert (run.stdout.split(), run.stderr) == (["refused"] * len(files), "")
    alone = subprocess.run([sys.executable, "-c", pillow, *files], capture_output=True, text=True, check=True)
    assert "TIFF" in alone.stderr
