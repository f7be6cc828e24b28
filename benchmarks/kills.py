"""Kill -9 at random moments of every verb that writes: nothing committed is lost, and the next write leaves no trace.

    python benchmarks/kills.py --kills 400

index (new, changed, moved, broken and removed pictures), a switch of backbones, learn with and without --use, use,
forget, judge and its undo, index --drop-old, check --repair and export, on a collection of drawn pictures and two tiny
networks. Half of the kills come at a random moment, half as the verb is about to make a random change to the disk.
After each kill, status, check, lenses, judge --list and search run without a traceback; every row of a finished commit,
every lens and every judgement is there; each row and each vector of a lens is what its picture gives. After half of the
kills the next verb meets what was left; after the others `index` does, and then the table is the folder and nothing is
left.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a process with threads cannot be forked

from survival import Strike, World, preload
from survival_checks import Found, Ran, compare

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.drawn_network import write_pair

VERBS = {
    "index": 4, "switch": 2, "learn": 2, "learn --use": 2, "use": 2, "forget": 2, "judge": 2, "undo": 1, "drop-old": 1,
    "repair": 1, "export": 1,
}  # fmt: skip


class Kills:
    """Kills, counted by verb, and what they did harm to."""

    def __init__(self, world: World):
        self.world, self.before = world, Found()
        self.kills, self.runs, self.faults, self.refused = (
            Counter[str](),
            Counter[str](),
            Counter[str](),
            Counter[str](),
        )

    def one(self, verb: str, strike: Strike) -> Ran:
        """Run a verb, compare what is there afterwards, and say what is wrong."""
        world = self.world
        words = world.words(verb, self.before.rows)
        ran = world.run(verb, words, strike)
        now = world.look()
        faults = compare(world, self.before, words, ran, now)
        if ran.finished and ran.code == 0 and verb not in {"judge", "undo", "export"}:
            faults += [f"left over: {left}" for left in world.left_over(indexed=words[0] == "index")]
        if ran.finished and ran.code == 0 and words[0] == "index" and not now.is_whole(world.on_disk()):
            faults.append("the table is not the folder")
        if ran.finished and ran.code and verb not in {"learn", "learn --use", "use", "forget", "undo"}:
            faults.append(f"exit {ran.code}: {ran.said.strip()}")
        (self.runs if ran.finished else self.kills)[verb] += 1
        self.refused[verb] += ran.finished and ran.code != 0
        self.faults[verb] += bool(faults)
        for fault in faults:
            how = "ended" if ran.finished else f"killed at {strike.seconds or strike.event}"
            print(f"FAULT {self.kills.total()} {' '.join(words)}: {how}: {fault}", flush=True)
        self.before = now
        return ran

    def table(self) -> None:
        """Print the counts."""
        print("| verb | kills | runs that ended | with a fault |\n| --- | ---: | ---: | ---: |")
        for verb in VERBS:
            print(f"| {verb} | {self.kills[verb]} | {self.runs[verb]} | {self.faults[verb]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    preload()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lookalike-") as name:
        work = Path(name)
        os.environ["LOOKALIKE_CACHE"] = str(work / "cache")
        first, second = write_pair(work / "networks")
        world = World(
            work, work / "collection", {"first": str(first), "second": str(second)}, asked.pictures, 10, asked.seed
        )
        killer = Kills(world)
        begin(killer, str(first))
        verbs, weights = list(VERBS), list(VERBS.values())
        while killer.kills.total() < asked.kills:
            (verb,) = world.rng.choices(verbs, weights)
            ran = killer.one(verb, world.strike(verb) if world.rng.random() < 0.9 else Strike())
            if not ran.finished and killer.kills.total() % 50 == 0:
                print(f"{killer.kills.total()} kills, {killer.faults.total()} with a fault", flush=True)
            if not ran.finished and world.rng.random() < 0.5:
                killer.one("index", Strike())
        killer.one("index", Strike())
    killer.table()
    faults = killer.faults.total()
    print(
        f"\n{killer.kills.total()} kills, {killer.runs.total()} runs that ended, {time.monotonic() - started:.0f} s: ",
        end="",
    )
    print(f"{faults} with a fault." if faults else "nothing lost, no traceback, nothing left over.")
    sys.exit(1 if faults else 0)


def begin(killer: Kills, backbone: str) -> None:
    """The collection, with a table of each backbone and a lens."""
    world = killer.world
    words = ["index", str(world.photos), "--at", str(world.at), "--backbone"]
    for place in (*world.backbones.values(), backbone):
        ran = world.run("switch", [*words, place], Strike())
        assert ran.code == 0, ran.said
    killer.before = world.look()
    for verb in ("learn", "learn --use", *VERBS):
        killer.one(verb, Strike())


if __name__ == "__main__":
    main()
