"""Peak memory and processor time of reading each odd file, every one in a process of its own; the bounds are 1 GB, 5 s.

    LOOKALIKE_DATA=... python benchmarks/odd_files.py

Each is read both ways, squashed for the backbone and in full. Prints every file that takes more than 10 MB or 0.1 s
beyond a one-pixel picture, then the worst, and what was read and refused. Exits 1 when a file goes over a bound, or
when something reaches stderr.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ONE = """
import json, resource, sys, time
from pathlib import Path
from lookalike.errors import ImageError
from lookalike.images.decode import load, decode_square
started = time.process_time()
try:
    decode_square(Path(sys.argv[1]), 224)
    load(Path(sys.argv[1]))
    said = "read"
except ImageError as error:
    said = error.reason
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([said, peak, time.process_time() - started]))
"""


def measure(file: Path) -> tuple[str, int, float, str]:
    """Of both ways to read one file: what was said, peak bytes, seconds of processor time, what reached stderr."""
    run = subprocess.run([sys.executable, "-c", ONE, str(file)], capture_output=True, text=True, check=False)
    if run.returncode:
        return f"the process ended with {run.returncode}", 0, float("inf"), run.stderr
    said, peak, seconds = json.loads(run.stdout)
    return said, peak, seconds, run.stderr


def main() -> None:
    """Measure and print."""
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        return
    root = Path(os.environ["LOOKALIKE_DATA"]) / "odd_files"
    started = time.perf_counter()
    _, least, _, _ = measure(root / "decodes" / "one_pixel.png")
    results = {}
    for folder in ("decodes", "broken"):
        for file in sorted(path for path in (root / folder).rglob("*") if path.is_file()):
            results[f"{folder}/{file.name}"] = measure(file)
    print(f"{'':34} {'peak MB':>8} {'beyond':>8} {'s':>6}")
    for name, (said, peak, seconds, _) in results.items():
        if peak - least > 10e6 or seconds > 0.1:
            print(f"{name:34} {peak / 1e6:8.0f} {(peak - least) / 1e6:8.0f} {seconds:6.2f}  {said}")
    worst_peak, worst_s = max(one[1] for one in results.values()), max(one[2] for one in results.values())
    read = sum(one[0] == "read" for one in results.values())
    loud = [name for name, one in results.items() if one[3]]
    print(f"{len(results)} files in {time.perf_counter() - started:.0f} s: {read} read, {len(results) - read} refused")
    print(f"worst: {worst_peak / 1e6:.0f} MB (bound 1000), {worst_s:.2f} s (bound 5); on stderr: {loud or 'nothing'}")
    if worst_peak > 1e9 or worst_s > 5 or loud:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
