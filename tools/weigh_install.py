"""What each part of the installation weighs, in the environment that runs this: the table of docs/install.md.

    python tools/weigh_install.py

A part is a requirement of pyproject.toml with everything it brings; what two bring is counted with the first. The base
comes first, so an extra is what it adds. Sizes are those of the files that each package lists, compiled ones included.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

NAME = re.compile(r"[\w.-]+")
EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def required(package: str, extra: str = "") -> list[str]:
    """The packages that this one needs, or that its extra adds, whether installed or not."""
    found = []
    for line in distribution(package).requires or []:
        needed, _, marker = line.partition(";")
        named = EXTRA.search(marker)
        if (named[1] if named else "") == extra and (name := NAME.match(needed)):
            found.append(name[0])
    return found


def weight(package: str) -> int:
    """Bytes of the files that a package put on the disk."""
    files = distribution(package).files or []
    return sum(path.stat().st_size for path in {Path(str(file.locate())) for file in files} if path.is_file())


def with_all_it_brings(package: str, seen: set[str]) -> dict[str, int]:
    """Bytes of a package, and of each that it brings and that was not seen yet; the packages are seen then."""
    key = re.sub(r"[-_.]+", "-", package).lower()
    if key in seen:
        return {}
    try:
        found = {package: weight(package)}
    except PackageNotFoundError:
        return {}
    seen.add(key)
    for other in required(package):
        found |= with_all_it_brings(other, seen)
    return found


def main() -> None:
    seen = {"lookalike"}
    for extra in ("", "heic", "raw", "map", "server", "metrics", "mcp", "tables", "learn", "dev"):
        parts = {name: with_all_it_brings(name, seen) for name in sorted(required("lookalike", extra), key=str.lower)}
        parts = {name: brought for name, brought in parts.items() if brought}
        if not parts:
            continue
        whole = sum(sum(brought.values()) for brought in parts.values())
        print(f"{whole / 1e6:8.1f}  {extra or 'the base'}")
        for name, brought in sorted(parts.items(), key=lambda part: -sum(part[1].values())):
            others = [other for other in brought if other != name]
            print(f"{sum(brought.values()) / 1e6:8.1f}    {name}{', with ' if others else ''}{', '.join(others)}")


if __name__ == "__main__":
    main()
