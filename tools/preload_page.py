"""Write the links of src/lookalike/server/static/index.html: every module that the first view needs.

Run: python tools/preload_page.py. Without them a browser finds out level by level what to ask for next.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parents[1] / "src/lookalike/server/static"
IMPORT = re.compile(r"""(?:^|;|\})(?:import|export)\b[^;`()]*?(?:\bfrom\s*)?"(\.[^"]+)";?""", re.MULTILINE)
BEGIN, END = "    <!-- modules of the first view -->\n", "    <!-- end of modules -->\n"


def needed(first: Path = STATIC / "app.js") -> list[str]:
    """A module and all that it needs, by the level on which a browser would find them."""
    found, level = [first], [first]
    while level:
        targets = [(path.parent / name).resolve() for path in level for name in IMPORT.findall(path.read_text("utf-8"))]
        level = list(dict.fromkeys(path for path in targets if path not in found))
        found += level
    return [path.relative_to(STATIC).as_posix() for path in found]


def links() -> str:
    """A line for each, what begin.js needs first."""
    first = needed(STATIC / "begin.js")
    names = first + [name for name in needed() if name not in first]
    return "".join(f'    <link rel="modulepreload" href="/static/{name}" />\n' for name in names)


def main() -> None:
    """Replace what is between the two comments."""
    page = STATIC / "index.html"
    text = page.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(before + BEGIN + links() + END + after, "utf-8")


if __name__ == "__main__":
    main()
