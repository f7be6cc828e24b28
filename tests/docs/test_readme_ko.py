"""The two READMEs say the same: their commands, code, pictures and extras are equal."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def parts(name: str) -> dict[str, list[str]]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {
        "blocks": re.findall(r"```(?:sh|python)\n(.*?)```", text, re.DOTALL),
        "commands": [line.split("  #")[0].strip() for line in re.findall(r"^    (.+)$", text, re.MULTILINE)],
        "pictures": re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text),
        "names": [one for one in re.findall(r"`([^`\n]+)`", text) if one.startswith(("pip ", "search ", "lookalike "))],
    }


def test_both_say_the_same_commands():
    english, korean = parts("README.md"), parts("README.ko.md")
    assert len(english["blocks"]) == 3
    assert {"make page", "lookalike serve ~/Pictures"} <= set(english["commands"])
    assert english == korean
