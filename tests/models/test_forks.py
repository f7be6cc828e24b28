"""After a fork: what works anew, what says that it cannot, and that nothing hangs."""

import json
import subprocess
import sys

import pytest
from support.drawn_network import write_bundle
from support.pictures import draw

from lookalike import Collection
from lookalike.models.forks import check_not_forked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")

# Each child has ten seconds: one that hangs is ended by a signal, and says nothing.
FORKS = """
import json, os, signal, sys, warnings
from pathlib import Path
import numpy as np
from lookalike import Backbone, Collection
from lookalike.index.quantization import helping_threads
from lookalike.images.limits import FLIGHT

folder, bundle = sys.argv[1:]
warnings.simplefilter("ignore")  # Lance warns of every fork
pixels = [np.full((8, 8, 3), 20 * i, np.uint8) for i in range(10)]
found = {}

def child(name, work, end=os._exit):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        try:
            said = work()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(said).encode())
        end(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    found[name] = [json.loads(text) if text else None, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]

def names():
    return [hit.file for hit in unused.search("1.png", 2)]

unused = Collection(folder)
child("opened and not used", names)

backbone = Backbone(bundle, threads=2)
rows = backbone.embed(pixels)
child("embedding anew", lambda: bool((backbone.embed(pixels) == rows).all()))
child("ending as usual", lambda: "ended", sys.exit)

def forget():
    global backbone
    del backbone
    return "forgotten"

child("forgetting the backbone", forget)

helping_threads(os.getpid()).submit(int).result()
child("threads that rank", lambda: helping_threads(os.getpid()).submit(int, "7").result())
with FLIGHT.hold_file(10**9, most=10**9):
    child("memory that another thread holds", lambda: FLIGHT.hold_file(5, most=10**9).__enter__())

used = Collection(folder)
used.search("1.png", 2)
for name in ("search", "status", "index"):
    child(name, lambda: str(getattr(used, name)(*["1.png"] * (name == "search"))))
child("opened in the child", lambda: str(Collection(folder).search("1.png")))
child("embedding through a collection", lambda: used.embed(pixels).shape[0])
print(json.dumps({**found, "parent": os.getpid(), "after": len(used.search("1.png", 2))}))
"""


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What children of one process found, and how they ended."""
    at = tmp_path_factory.mktemp("forked")
    for seed, name in enumerate(["1.png", "2.png", "3.png"]):
        draw(at / "photos" / name, seed)
    bundle = write_bundle(at / "bundle")
    Collection(at / "photos", backbone=bundle).index()
    words = [sys.executable, "-c", FORKS, str(at / "photos"), str(bundle)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_collection_that_was_only_opened_before_searches_in_the_child(forked: dict):
    files, code = forked["opened and not used"]
    assert (files[0], len(files), code) == ("1.png", 2, 0)


def test_a_backbone_that_was_used_before_is_opened_anew(forked: dict):
    assert forked["embedding anew"] == [True, 0]
    assert forked["embedding through a collection"] == [10, 0]


def test_a_child_ends_though_it_holds_the_parents_network(forked: dict):
    """OpenVINO's own destructors would wait for threads of the parent."""
    assert forked["ending as usual"] == ["ended", 0]
    assert forked["forgetting the backbone"] == ["forgotten", 0]


def test_threads_and_memory_of_the_parent_are_not_waited_for(forked: dict):
    assert forked["threads that rank"] == [7, 0]
    assert forked["memory that another thread holds"] == [None, 0]


@pytest.mark.parametrize("name", ["search", "status", "index", "opened in the child"])
def test_a_table_that_the_parent_has_read_is_refused_in_one_line(forked: dict, name: str):
    said, code = forked[name]
    assert code == 0
    assert said == (
        f"ForkedError: Lance was used in process {forked['parent']} before this one was forked from it, and its "
        "threads do not survive a fork. Search, index and learn in children only, or start them with "
        "multiprocessing.get_context('spawn')."
    )


def test_the_parent_goes_on(forked: dict):
    assert forked["after"] == 2


def test_a_library_can_be_used_again_in_the_process_that_used_it_first():
    check_not_forked("a library")
    check_not_forked("a library")
