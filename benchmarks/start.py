"""How long lookalike takes to start: importing it, asking for help, the first answer, beside Python doing nothing.

    python benchmarks/start.py [RUNS] [--search FOLDER QUERY] [--against OLD/src]

Each run is a process of its own; the runs take turns, and the median of each is printed, by the clock and of the
processor (user and system). Once everything was read from disk, that is: the first round is not counted. With
--search, the answer to a query in a collection is one of them, and its share of the processor time that another
version takes with --against, run by run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

WAYS = {
    "python -c pass": ["-c", "pass"],
    "import lookalike": ["-c", "import lookalike"],
    "import click": ["-c", "import click"],
    "lookalike --help": ["-m", "lookalike", "--help"],
    "lookalike search --help": ["-m", "lookalike", "search", "--help"],
}
SEARCH, OLD = "lookalike search", "the same, --against"


def seconds(words: list[str], source: str | None = None) -> tuple[float, float]:
    """The wall time and the processor time of one run, with the package from here or from another source."""
    environment = dict(os.environ) if source is None else {**os.environ, "PYTHONPATH": source}
    before, started = processor_s(), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started, processor_s() - before


def processor_s() -> float:
    """Of all processes that ended."""
    used = os.times()
    return used.children_user + used.children_system


def main(runs: int, asked: list[str] | None, old: str | None) -> None:
    ways = dict(WAYS)
    if asked is not None:
        ways |= {name: ["-m", "lookalike", "search", *asked] for name in ((SEARCH, OLD) if old else (SEARCH,))}
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(runs + 1):
        for way, words in ways.items():
            times[way].append(seconds(words, old if way == OLD else None))
    print(f"{'':26}{'median s':>10}{'fastest s':>11}{'processor s':>13}")
    for way, took in times.items():
        clock, processor = zip(*took[1:], strict=True)
        print(f"{way:26}{statistics.median(clock):10.3f}{min(clock):11.3f}{statistics.median(processor):13.2f}")
    if OLD in times:
        shares = [one[1] / other[1] for one, other in zip(times[SEARCH][1:], times[OLD][1:], strict=True)]
        print(f"processor time, of that of --against: {statistics.median(shares):.2f}")
    if hasattr(os, "getloadavg"):
        print(f"load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=15)
    parser.add_argument("--search", nargs=2, metavar=("FOLDER", "QUERY"))
    parser.add_argument("--against", metavar="SRC")
    options = parser.parse_args()
    main(options.runs, options.search, options.against)
