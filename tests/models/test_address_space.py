"""Limited address space, in processes of their own: what is reserved, and one line where it is too little."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.models.address_space import bytes_left

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux, and its C library")

GROWTH = """
import json, resource, sys, threading
from lookalike.models.address_space import is_limited, reserve_little

def size():
    return int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()

free = is_limited()
if sys.argv[1] == "limited":
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
reserve_little()
threading.stack_size(1 << 20)
before, meet, kept = size(), threading.Barrier(9), []

def work():
    kept.append(bytes(3000))  # larger than what Python keeps heaps of its own for
    meet.wait()
    meet.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads:
    one.start()
meet.wait()
print(json.dumps([free, is_limited(), size() - before]))
meet.wait()
"""


def growth(how: str) -> list:
    """Whether it was limited before, and is now; and what eight threads that allocate a little add, in bytes."""
    done = subprocess.run([sys.executable, "-c", GROWTH, how], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_under_a_limit_threads_reserve_no_heap_of_their_own():
    before, now, grown = growth("limited")
    assert (before, now) == (False, True)
    assert grown < 100e6  # glibc would reserve 8 x 64 MB
    assert growth("free")[:2] == [False, False]


@pytest.mark.parametrize("limit_kb", [200_000, 300_000, 450_000])
def test_with_too_little_for_the_network_index_ends_in_one_line(tmp_path: Path, limit_kb: int):
    """At 300 MB OpenVINO's compiler once waited for ever; at 200 MB nothing of it can be loaded."""
    draw(tmp_path / "photos" / "1.png", 1)
    command = f"ulimit -v {limit_kb}; exec {sys.executable} -m lookalike index {tmp_path / 'photos'}"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("not enough memory")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_left_is_told_under_a_limit_alone():
    assert bytes_left() is None
    program = "from lookalike.models.address_space import bytes_left; print(bytes_left())"
    command = f"ulimit -v 500000; exec {sys.executable} -c '{program}'"
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
    assert 100e6 < int(done.stdout) < 500e6
