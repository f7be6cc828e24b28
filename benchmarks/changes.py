"""What comparing a listing with a table takes, by keys and by a dictionary of names.

    python benchmarks/changes.py [FILES]

FILES (10,000,000) made-up names in blocks of 65,536 stand for both, a thousandth of them changed. Printed are the
processor time and the memory a file at the peak beside what the process had, of keys; and of the dictionary at a tenth
of the files. Names that pass by are not counted: each block is let go.
"""

import os
import resource
import sys
from collections.abc import Iterator

from lookalike.index.file_keys import KnownKeys, keys_of

AT_ONCE = 1 << 16


def blocks(files: int, changed: bool) -> Iterator[tuple[list[str], list[int], list[int]]]:
    for start in range(0, files, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, files))
        sizes = [10_000 + (changed and not i % 1000) for i in numbers]
        yield [f"shop/{i // 1000:05d}/{i:09d}.jpg" for i in numbers], sizes, [1_700_000_000 + i for i in numbers]


def processor_s() -> float:
    return sum(os.times()[:2])


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def by_keys(files: int) -> int:
    known = KnownKeys(keys_of(*block) for block in blocks(files, changed=False))
    return sum(int((~known.is_known(keys_of(*block))).sum()) for block in blocks(files, changed=True))


def by_names(files: int) -> int:
    known = {}
    for names, sizes, dates in blocks(files, changed=False):
        known.update(zip(names, zip(sizes, dates, strict=True), strict=True))
    return sum(
        known[name] != (size, date)
        for block in blocks(files, changed=True)
        for name, size, date in zip(*block, strict=True)
    )


def main(files: int) -> None:
    by_keys(AT_ONCE)  # what one block and numpy take
    for name, way, count in (("keys", by_keys, files), ("a dictionary of names", by_names, files // 10)):
        before, started = peak_bytes(), processor_s()
        changed = way(count)
        assert changed == -(-count // 1000), changed
        took, grown = processor_s() - started, peak_bytes() - before
        print(f"{name:22}{count:12,} files {took / count * 1e6:6.2f} us a file {grown / count:7.1f} bytes a file")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
