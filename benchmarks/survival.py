"""A collection that is worked with at random and struck at random moments; kills.py and power_cuts.py share this.

A verb runs in a child that is forked from a process which has everything imported, so that a round takes a second. It
is struck after a random share of its usual time, or as it is about to make a random one of its changes to the disk. The
rows of every commit that has finished are told to the parent. After each blow another child examines the collection.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lance  # noqa: F401  (what a verb would import anew in every child)
import numpy as np
import onnx  # noqa: F401
import pyarrow.compute
import pyarrow.parquet  # noqa: F401
from PIL import Image
from survival_checks import Found, Ran, Rows, left_over, look, small_commits

import lookalike.collection.learn
from lookalike.cli.main import main
from lookalike.images.decode import content_hash
from lookalike.index import lance_io
from lookalike.models.openvino_runtime import openvino

LENSES = ("kind", "other")
KINDS = 6
EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "shutil.rmtree"}


class Strike:
    """When a verb is struck: after so many seconds, or at so many changes to the disk."""

    def __init__(self, seconds: float | None = None, event: int | None = None):
        self.seconds, self.event = seconds, event


class World:
    """Pictures, two backbones, and a collection of them at `at`.

    Args:
        work: a folder for everything but the collection.
        at: where the collection lies.
        backbones: name -> what `--backbone` takes.
        pictures: how many there are at the beginning.
        side_px: of the pictures.
        seed: of everything that is drawn.
    """

    def __init__(self, work: Path, at: Path, backbones: dict[str, str], pictures: int, side_px: int, seed: int):
        self.work, self.at, self.backbones, self.side_px = work, at, backbones, side_px
        self.rng, self.pixels = random.Random(seed), np.random.default_rng(seed)
        self.photos, self.out = work / "photos", work / "out"
        self.out.mkdir(parents=True)
        self.serial = 0
        self.usual: dict[str, list[float]] = {}  # verb -> seconds and changes of its last undisturbed run
        self.add(pictures)

    def add(self, count: int) -> None:
        """New pictures, each of the colour of its kind."""
        for _ in range(count):
            kind = self.serial % KINDS
            colour = np.random.default_rng(kind).integers(0, 255, 3)
            side = self.side_px
            noise = self.pixels.integers(-60, 60, (side, side, 3)) + self.pixels.integers(-40, 40, 3)
            path = self.photos / f"k{kind}/{self.serial}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(colour + noise, 0, 255).astype(np.uint8)).save(path)
            self.serial += 1

    def change(self, count: int) -> None:
        """Pictures that go, move, get another content, break or come, `count` of each."""
        files = sorted(self.photos.rglob("*.png"))
        self.rng.shuffle(files)
        gone, moved, changed, broken = (files[i * count : (i + 1) * count] for i in range(4))
        for path in gone:
            path.unlink()
        for path in moved:
            path.rename(path.with_name(f"m{self.rng.randrange(1 << 40)}.png"))
        for path in changed:
            Image.fromarray(self.pixels.integers(0, 255, (self.side_px, self.side_px, 3), np.uint8)).save(path)
        for path in broken[: count // 3]:
            path.write_bytes(b"\x89PNG\r\n\x1a\nbroken" + self.pixels.bytes(4))
        self.add(count + count // 3)

    def on_disk(self) -> Rows:
        """Every picture that is whole."""
        found = {}
        for path in self.photos.rglob("*.png"):
            if b"broken" not in (content := path.read_bytes()):
                found[path.relative_to(self.photos).as_posix()] = content_hash(content).hex()
        return found

    def words(self, verb: str, known: Rows) -> list[str]:
        """What is typed for a verb, with what it is about drawn at random; the pictures change before an index.

        Args:
            verb: which one.
            known: the rows of the table in use.
        """
        where = [str(self.photos), "--at", str(self.at)]
        draw = self.rng.choice
        if verb == "index":
            self.change(6)
            return ["index", *where]
        if verb == "switch":
            return ["index", *where, "--backbone", draw(list(self.backbones.values()))]
        if verb in {"learn", "learn --use"}:
            rest = ["--from", str(self.photos), "--as", "classes", "--quick", "--replace", "--name", draw(LENSES)]
            return ["learn", *where, *rest, *verb.split()[1:]]
        if verb == "use":
            return ["use", *where, draw(["plain", *LENSES]), "--anyway"]
        if verb == "forget":
            return ["forget", *where, draw(LENSES)]
        if verb == "judge":
            query, one, two, no = self.rng.sample(sorted(known), 4)
            return ["judge", *where, query, "--yes", one, "--yes", two, "--no", no]
        if verb == "undo":
            return ["judge", *where, "--undo"]
        if verb == "drop-old":
            return ["index", *where, "--drop-old"]
        if verb == "repair":
            return ["check", *where, "--repair"]
        ending = draw([".csv", ".parquet", ".npy", ".onnx"])
        return ["export", *where[:1], str(self.out / f"rows{ending}"), *where[1:]]

    def strike(self, verb: str) -> Strike:
        """A random moment of a verb; none, where it was never seen undisturbed."""
        if verb not in self.usual:
            return Strike()
        seconds, events = self.usual[verb]
        if self.rng.random() < 0.5 and events:
            return Strike(event=self.rng.randint(1, int(events)))
        return Strike(self.rng.uniform(0, 1.05 * seconds))

    def run(self, verb: str, words: list[str], strike: Strike, sent: signal.Signals = signal.SIGKILL) -> Ran:
        """Run a verb in a child, and send it a signal at the moment of the strike.

        A child that is stopped (SIGSTOP) is killed when `self.stopped`, which may be set, returns.
        """
        told, said = self.work / "told", self.work / "said"
        told.write_text("")
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            _child(words, told, said, strike.event, sent)
        if strike.seconds is not None:
            time.sleep(strike.seconds)
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
        _, status = os.waitpid(pid, os.WUNTRACED)
        seconds = time.monotonic() - started
        if os.WIFSTOPPED(status):
            self.stopped()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        lines = [json.loads(line) for line in told.read_text().splitlines() if line.endswith("]")]
        commits = [(name, rows) for name, rows in lines if name != "events"]
        ran = Ran(os.WIFEXITED(status), commits=commits, seconds=seconds, said=said.read_text(errors="replace"))
        if ran.finished:
            ran.code = os.WEXITSTATUS(status)
            ran.events = next(count for name, count in lines if name == "events")
            if ran.code == 0:
                self.usual[verb] = [min(5.0, seconds), ran.events]
        return ran

    def stopped(self) -> None:
        """What is done while a child is stopped."""

    def may_be(self, finding: dict[str, Any]) -> bool:
        """Whether the blow may leave this behind for the next write to mend."""
        return finding["part"] == "leftover"

    def ask(self, question: Callable[[], Any]) -> Any:
        """The answer of a child to a question; what it raises is a string that begins with FAULT."""
        answer = self.work / "answer"
        answer.unlink(missing_ok=True)
        pid = os.fork()
        if not pid:
            try:
                answer.write_text(json.dumps(question()))
            except BaseException as error:
                answer.write_text(json.dumps(f"FAULT {type(error).__name__}: {error}"))
            os._exit(0)
        os.waitpid(pid, 0)
        return json.loads(answer.read_text()) if answer.exists() else "FAULT the child that examined it died"

    def look(self) -> Found:
        """What the collection holds; run each verb that reads, and compare every row with an undisturbed run."""
        found = self.ask(lambda: look(self))
        return Found(faults=[found]) if isinstance(found, str) else Found(**found)

    def left_over(self, *, indexed: bool) -> list[str]:
        """What a killed run left in the collection and has not been removed."""
        found = self.ask(lambda: left_over(self.at, indexed))
        return [found] if isinstance(found, str) else found


def preload() -> None:
    """Import what is imported late, before anything is forked."""
    from sklearn.cluster import KMeans  # noqa: F401

    openvino()
    assert lookalike.collection.learn


def _child(words: list[str], told: Path, said: Path, event: int | None, sent: signal.Signals) -> None:
    """Run the command line in this process, which ends with it."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    log = os.open(told, os.O_WRONLY | os.O_APPEND)

    def tell(*what: object) -> None:
        os.write(log, json.dumps(what).encode() + b"\n")

    small_commits()
    _tell_commits(tell)
    count = 0

    def seen(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if name in EVENTS or writes:
            count += 1
            if count == event:
                os.kill(os.getpid(), sent)

    sys.addaudithook(seen)
    try:
        main(words)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    tell("events", count)
    os._exit(code)


def _tell_commits(tell: Callable[..., None]) -> None:
    """Tell the rows of a table of pictures whenever a commit to it has returned."""

    def telling(real: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: lance_io.LanceTable, *args: Any, **more: Any) -> Any:
            done = real(self, *args, **more)
            if "content" in self.columns and (opened := self.open()) is not None:
                rows = opened.dataset.to_table(columns=["file", "content"]).to_pydict()
                contents = [one.hex() for one in rows["content"]]
                tell(Path(self.uri).stem, dict(zip(rows["file"], contents, strict=True)))
            return done

        return method

    for name in ("write_rows", "remove_files", "remove_damaged"):
        setattr(lance_io.LanceTable, name, telling(getattr(lance_io.LanceTable, name)))
