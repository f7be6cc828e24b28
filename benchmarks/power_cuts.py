"""The power cut at random moments of index, learn, use, forget and judge: what was committed is there afterwards.

    sudo python benchmarks/power_cuts.py --cuts 20

The collection lies on an ext4 image that is mounted by a loop device, and that commits its names every second. The
verbs run one after the other on drawn pictures, with the default backbone. At a random moment the verb is stopped and
the image copied as it is, while it is mounted: what was not forced to it, or happened to be written, is not in the
copy. The copy takes the place of the disk. Then status, check, lenses, judge --list and search run without a traceback;
every row of a finished commit, every lens and every judgement is there; and an index makes the table equal to the
folder and leaves nothing over. Needs root, mkfs.ext4 and loop devices; says so where they are missing.
"""

import argparse
import filecmp
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # a process with threads cannot be forked

from survival import Strike, World, preload
from survival_checks import Found, compare

VERBS = ["index", "learn --use", "judge", "learn", "use", "index", "judge", "undo", "use", "forget"]
MB = 96


class Disk(World):
    """A world whose collection lies on a disk of its own."""

    def mount(self) -> bool:
        """Make the disk; whether that is possible here."""
        self.image, self.copy, self.disk = (self.work / name for name in ("disk.img", "copy.img", "disk"))
        self.disk.mkdir()
        with self.image.open("wb") as file:
            file.truncate(MB << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True, capture_output=True)
        return self._mounted()

    def stopped(self) -> None:
        """Copy the image as it is; again, where the system wrote to it meanwhile: a disk stops at one moment."""
        while True:
            subprocess.run(["cp", "--sparse=always", self.image, self.copy], check=True)
            if filecmp.cmp(self.image, self.copy, shallow=False):
                return

    def cut(self) -> None:
        """Let the copy take the disk's place."""
        subprocess.run(["umount", self.disk], check=True)
        self.copy.replace(self.image)
        assert self._mounted()

    def unmount(self) -> None:
        """Give the disk back."""
        subprocess.run(["umount", self.disk], check=False, capture_output=True)

    def may_be(self, finding: dict[str, Any]) -> bool:
        """A version that did not reach the disk is passed over, and no rows are lost with it."""
        return super().may_be(finding) or (
            finding["part"] in {"table", "refused"} and " pictures)" not in finding["what"]
        )

    def _mounted(self) -> bool:
        command = ["mount", "-o", "loop,commit=1", self.image, self.disk]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def one(disk: Disk, before: Found, verb: str, strike: Strike | None) -> tuple[Found, list[str], str]:
    """Run a verb, cut the power at the strike if there is one; what is there, what is wrong, and how it ended."""
    words = disk.words(verb, before.rows)
    ran = disk.run(verb, words, strike or Strike(), signal.SIGSTOP)
    if strike is not None:
        if ran.finished:  # cut shortly after it was done
            time.sleep(disk.rng.uniform(0, 3))
            disk.stopped()
        disk.cut()
    now = disk.look()
    faults = compare(disk, before, words, ran, now)
    if strike is None and ran.code and words[0] == "index":
        faults.append(f"exit {ran.code}: {ran.said.strip()}")
    moment = (
        f"at change {strike.event}" if strike and strike.event else f"{strike.seconds or 0:.2f} s" if strike else ""
    )
    return now, faults, "after it was done" if ran.finished else moment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        print("Skipped: the power is cut by root, with mkfs.ext4 and loop devices.")
        return
    preload()
    with tempfile.TemporaryDirectory(prefix="lookalike-") as name:
        work = Path(name)
        disk = Disk(work, work / "disk/collection", {"default": "efficientnet-lite0"}, asked.pictures, 48, asked.seed)
        if not disk.mount():
            print("Skipped: no loop device can be mounted here.")
            return
        try:
            faults = cuts(disk, asked.cuts)
        finally:
            disk.unmount()
    print(
        f"\n{asked.cuts} cuts: " + (f"{faults} faults." if faults else "nothing lost, no traceback, nothing left over.")
    )
    sys.exit(1 if faults else 0)


def cuts(disk: Disk, count: int) -> int:
    """Cut the power so many times, and print a table; how many faults were found."""
    found, total = Found(), 0
    print("| verb | cut | rows | lenses | judgements | faults |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for number in range(-len(VERBS), count):
        verb = VERBS[number % len(VERBS)]
        strike = None if number < 0 else disk.strike(verb)
        found, faults, how = one(disk, found, verb, strike)
        if strike is None:  # what each verb takes undisturbed
            problems = faults
        else:
            cells = (verb, how, len(found.rows), len(found.lenses), len(found.judgements), len(faults))
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
            found, problems, _ = one(disk, found, "index", None)
            if not found.is_whole(disk.on_disk()):
                problems.append("the table is not the folder after an index")
            problems += [*faults, *(f"left over: {left}" for left in disk.left_over(indexed=True))]
        total += len(problems)
        for problem in problems:
            print(f"FAULT {number} {verb}: {problem}", flush=True)
    return total


if __name__ == "__main__":
    main()
