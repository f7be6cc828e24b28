"""How long lookalike takes to start: importing it, and asking for help, beside Python doing nothing.

    python benchmarks/start.py [RUNS]

Each run is a process of its own; the runs take turns, and the median of each is printed, by the clock and of the
processor (user and system). Once everything was read from disk, that is: the first round is not counted.
"""

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


def seconds(words: list[str]) -> tuple[float, float]:
    """The wall time and the processor time of one run."""
    before, started = processor_s(), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started, processor_s() - before


def processor_s() -> float:
    """Of all processes that ended."""
    used = os.times()
    return used.children_user + used.children_system


def main(runs: int) -> None:
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(runs + 1):
        for way, words in WAYS.items():
            times[way].append(seconds(words))
    print(f"{'':26}{'median s':>10}{'fastest s':>11}{'processor s':>13}")
    for way, took in times.items():
        clock, processor = zip(*took[1:], strict=True)
        print(f"{way:26}{statistics.median(clock):10.3f}{min(clock):11.3f}{statistics.median(processor):13.2f}")
    if hasattr(os, "getloadavg"):
        print(f"load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
