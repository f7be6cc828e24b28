"""An index of hostile pictures under a memory limit: it must end well, in one run.

    LOOKALIKE_DATA=... python benchmarks/memory_limit.py [FOLDER ...] [--mb 1200] [--unseen]

The odd files, the pictures of each FOLDER, and large pictures made here are indexed by a process of its own. Linux; as
root it runs in a control group of so many MB, which it can see, as in a container. With --unseen, or without rights,
its memory is watched from outside, and it is killed when what it holds grows above the limit. Prints its peak, and
exits 1 when it was killed.
"""

import argparse
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

SIDE = 9990


def large(folder: Path) -> None:
    """Some pictures of 100 megapixels that are small files."""
    folder.mkdir()
    Image.new("CMYK", (SIDE, SIDE)).save(folder / "cmyk.jpg", quality=1, progressive=True)
    Image.new("RGB", (SIDE, SIDE)).save(folder / "progressive.jpg", quality=1, progressive=True)
    Image.new("RGBA", (SIDE, SIDE)).save(folder / "alpha.png")
    Image.new("L", (SIDE, SIDE)).save(folder / "grey.png")
    Image.new("RGB", (4096, 4096)).save(folder / "flat.avif", speed=10)
    runs = b"\xfd" * (SIDE * SIDE // 62 + 2)
    (folder / "runs.qoi").write_bytes(b"qoif" + struct.pack(">IIBB", SIDE, SIDE, 4, 0) + runs + bytes(7) + b"\1")


def group_of(megabytes: int) -> Path | None:
    """A new control group below this process's, with a limit; None where that is not allowed."""
    own = re.search(r"^\d+:memory:(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    root, file = (Path("/sys/fs/cgroup"), "memory.max")
    if own:
        root, file = root / "memory" / own[1].lstrip("/"), "memory.limit_in_bytes"
    group = root / f"lookalike-{os.getpid()}"
    try:
        group.mkdir()
        (group / file).write_text(str(megabytes * 1_000_000))
    except OSError:
        return None
    return group


def run(folder: Path, megabytes: int, unseen: bool) -> int:
    """Index; the exit code, after printing what was held at most."""
    group = None if unseen else group_of(megabytes)

    def enter() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    started, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", "lookalike", "index", str(folder)]
    process = subprocess.Popen(command, preexec_fn=enter)
    while process.poll() is None:
        time.sleep(0.005)
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        peak = max(peak, int(found[1]) * 1024 if found else 0)
        if group is None and peak > megabytes * 1_000_000:
            process.send_signal(signal.SIGKILL)
    if group is not None:
        group.rmdir()
    how = "watched from outside" if group is None else "in a control group"
    seconds = time.perf_counter() - started
    print(f"limit {megabytes} MB, {how}: exit {process.returncode}, peak {peak / 1e6:.0f} MB, {seconds:.0f} s")
    return int(process.returncode)


def main() -> None:
    """Copy, make, index, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--mb", type=int, default=1200)
    parser.add_argument("--unseen", action="store_true")
    asked = parser.parse_args()
    odd = [Path(os.environ["LOOKALIKE_DATA"]) / "odd_files"] if os.environ.get("LOOKALIKE_DATA") else []
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "pictures")
        folder.mkdir()
        for number, source in enumerate((*odd, *asked.folders)):
            shutil.copytree(source, folder / str(number))
        large(folder / "large")
        raise SystemExit(run(folder, asked.mb, asked.unseen) != 0)


if __name__ == "__main__":
    main()
