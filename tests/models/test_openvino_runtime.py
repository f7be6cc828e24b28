"""OpenVINO is imported once, and Ctrl-C meanwhile is Ctrl-C afterwards."""

import subprocess
import sys
from pathlib import Path

from lookalike.models.openvino_runtime import openvino

INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from lookalike.models.openvino_runtime import openvino
try:
    openvino()
except KeyboardInterrupt:
    print("interrupted after", sys.modules["openvino"].initialized)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, openvino().initialized)
"""


def test_ctrl_c_during_the_import_comes_once_it_is_complete(tmp_path: Path):
    """A module of its name is interrupted while it initializes, as the real one is."""
    (tmp_path / "openvino.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(0.05)\ninitialized = True\n"
    )
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{INTERRUPTED}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["interrupted after True", "True True"]


def test_the_module_is_given_each_time():
    assert openvino() is openvino() is sys.modules["openvino"]
