"""First paint and scrolling of the page, two versions in one run: python benchmarks/server_page.py OLD/src src

Rounds alternate between the versions, each in a process of its own, since other work on the machine disturbs both
alike: compare the versions, not the times. Needs Chromium and LOOKALIKE_DATA.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from server import PAINT, busy_s, many_rows, page_of, real_pictures, serving

WARM, STEPS = 3, 180
FLY = f"""async () => {{
    const box = document.querySelector('[role=listbox]');
    for (let i = 0; i < {STEPS}; i++) {{
        await new Promise(requestAnimationFrame);
        box.scrollTop += 100000 / {STEPS};
    }}
    return document.querySelectorAll('*').length;
}}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="*", help="folders src of the versions")
    parser.add_argument("--rounds", type=int, default=3, help="of each version")
    parser.add_argument("--rows", type=int, default=100_000, help="of the collection that is scrolled")
    parser.add_argument("--round", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.round:
        print(json.dumps(one_round(options.round)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "lookalike", "index", str(real_pictures(folder / "photos", 600))],
            check=True,
            capture_output=True,
        )
        many_rows(folder / "rows", options.rows)
        found: dict[Path, list[dict[str, float]]] = {source: [] for source in options.sources}
        for _ in range(options.rounds):
            for source in options.sources:
                command = [sys.executable, __file__, "--round", name]
                environment = os.environ | {"PYTHONPATH": str(source.resolve())}
                said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                found[source].append(json.loads(said.stdout.splitlines()[-1]))
    for source, rounds in found.items():
        print(source)
        for what in rounds[0]:
            values = [one[what] for one in rounds]
            print(f"    {what}: {np.median(values):.1f} ({min(values):.1f} to {max(values):.1f})")


def one_round(folder: Path) -> dict[str, float]:
    """The figures of the version that is imported here."""
    with serving(folder / "photos") as (server, api, c), page_of(server) as page:
        api.get(f"{c}/pictures").raise_for_status()
        page.goto("about:blank")
        painted = []
        for turn in range(1 + WARM):
            page.reload() if turn else page.goto(server.url)
            page.locator("[role=option].there").first.wait_for(timeout=60_000)
            painted.append(page.evaluate(PAINT))
    with serving(folder / "rows") as (server, _, _), page_of(server) as page:
        page.goto(server.url)
        page.locator("[role=option]").first.wait_for(timeout=60_000)
        inside = page.context.new_cdp_session(page)
        inside.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = busy_s(inside)
        nodes = page.evaluate(FLY)
        spent = 1000 * (busy_s(inside) - before) / STEPS
    return {
        "first paint, cold, ms": painted[0],
        "first paint, warm, ms": float(np.median(painted[1:])),
        "processor time of a frame while scrolling, ms": spent,
        "nodes": nodes,
    }


if __name__ == "__main__":
    main()
