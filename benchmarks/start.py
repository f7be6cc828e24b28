"""How long lookalike takes to start: importing it, and asking for help, beside Python doing nothing.

    python benchmarks/start.py [RUNS]

Each run is a process of its own; the runs take turns, and the median of each is printed. Once everything was read from
disk, that is: the first round is not counted.
"""

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


def seconds(words: list[str]) -> float:
    """The wall time of one run."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(runs: int) -> None:
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(runs + 1):
        for way, words in WAYS.items():
            times[way].append(seconds(words))
    nothing = statistics.median(times["python -c pass"][1:])
    print(f"{'':26}{'median s':>10}{'fastest s':>11}{'above python':>14}")
    for way, took in times.items():
        median = statistics.median(took[1:])
        print(f"{way:26}{median:10.3f}{min(took[1:]):11.3f}{median - nothing:14.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
