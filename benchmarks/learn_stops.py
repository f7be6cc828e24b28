"""How many functions one `learn` enters between the verb and the stored lens, and how often it reads the same things.

    python benchmarks/learn_stops.py [--default]

Drawn badges (30 kinds, 3 looks) are indexed and learned twice, and the second time is counted, so nothing is imported
meanwhile. Counted in every thread, each function once, by sys.setprofile: the distinct functions of the package that
are entered, without comprehensions, lambdas, generated and special methods; and of these the stops, those outside
images/, drawing/ and text. Reads of collection.json are counted by the audit hook, a table's openings at lance.dataset.
Runs on any version of the package: PYTHONPATH=OTHER/src python benchmarks/learn_stops.py. --default learns with the
correction, which needs torch.
"""

import argparse
import sys
import threading
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import lance
from support import badges

import lookalike

PACKAGE = Path(lookalike.__file__).parent
# Helpers that every way passes, where they lie now and where they lay.
HELPERS = ("images/", "drawing/", "text", "pictures.py", "colours.py", "sniffing.py", "thumbnails.py", "bounds.py")
PLANS = ("plan_evaluation", "exam")  # its name, and what it was called


class Counts:
    """What was entered, read and opened while it counted."""

    def __init__(self) -> None:
        self.counting = False
        self.calls: Counter[CodeType] = Counter()
        self.config_reads = 0
        self.table_opens = 0
        sys.addaudithook(self.audit)
        self.dataset = lance.dataset
        lance.dataset = self.open_table

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.counting and event == "open" and str(arguments[0]).endswith("collection.json"):
            self.config_reads += 1

    def open_table(self, *given: Any, **named: Any) -> Any:
        self.table_opens += self.counting
        return self.dataset(*given, **named)

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            self.calls[frame.f_code] += 1

    def start(self) -> None:
        self.counting = True
        threading.setprofile(self.profile)
        sys.setprofile(self.profile)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        self.counting = False


def file_of(code: CodeType) -> str:
    return Path(code.co_filename).relative_to(PACKAGE).as_posix()


def main(quick: bool) -> None:
    counts = Counts()
    with TemporaryDirectory() as folder:
        pictures = badges.classes(Path(folder) / "badges")
        collection = lookalike.Collection(pictures)
        collection.index()
        collection.learn(pictures, name="first", quick=quick)
        counts.start()
        try:
            collection.learn(pictures, name="second", quick=quick)
        finally:
            counts.stop()
    functions = [code for code in counts.calls if not code.co_name.startswith(("<", "__"))]
    stops = [code for code in functions if not file_of(code).startswith(HELPERS)]
    plans = sum(n for code, n in counts.calls.items() if code.co_name in PLANS)
    print(f"{'closed form alone' if quick else 'with the correction'}, {PACKAGE}")
    print(f"{len(functions):6}  distinct functions entered")
    print(f"{len(stops):6}  of them stops, in {len({file_of(code) for code in stops})} files")
    print(f"{counts.config_reads:6}  reads of collection.json")
    print(f"{counts.table_opens:6}  openings of a table")
    print(f"{plans:6}  n x n plans of the evaluation")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--default", action="store_true", help="with the correction, not the closed form alone")
    main(quick=not parser.parse_args().default)
