"""What judgements.jsonl holds."""

import json
import re
from pathlib import Path
from typing import Any


def said_in(photos: Path) -> list[dict[str, Any]]:
    """The lines of a collection that lies in its folder, without their times, which must be times."""
    file = photos / ".lookalike/judgements.jsonl"
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.pop("t")) for one in found)
    return found
