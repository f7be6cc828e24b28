"""Write tests/data/features.json: some features of two drawn pictures, in f32, that tests compare with.

    python tools/write_golden_features.py

Run it when the default backbone's formula changes on purpose, never to silence a test.
"""

import json
import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
GOLDEN = TESTS / "data" / "features.json"
sys.path.insert(0, str(TESTS))


def main() -> None:
    """Four features of each depth."""
    from support.pictures import drawn

    from lookalike import Backbone

    backbone = Backbone(precision="f32")
    starts = np.cumsum([0, *(depth.length for depth in backbone.bundle.depths)])
    columns = [int(start) + step for start in starts[:-1] for step in (0, 30, 60, 100)]
    rows = backbone.embed([drawn(seed) for seed in range(2)])[:, columns]
    GOLDEN.parent.mkdir(exist_ok=True)
    table = {"id": backbone.id, "columns": columns, "features": [[round(float(x), 6) for x in row] for row in rows]}
    GOLDEN.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
