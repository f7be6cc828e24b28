"""Thumbnails that are kept: how many a second, and what each takes the server, for one version of lookalike or several.

Run: LOOKALIKE_DATA=... python benchmarks/server_thumbs.py [--rounds 5] [SRC ...]

Each SRC is the folder src of a checkout; left out, this one. Each version serves in a process of its own, and rounds
alternate between them. The clients are six connections that are kept, as a browser's, with a browser's headers.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server import real_pictures

CONNECTIONS, ASKED = 6, 900
HERE = str(Path(__file__).resolve().parent.parent / "src")
HEADERS = "\r\n".join(
    [
        "Accept: image/avif,image/webp,image/*,*/*;q=0.8",
        "Accept-Encoding: gzip, deflate, br",
        "Accept-Language: en",
        "Sec-Fetch-Dest: image",
        "Sec-Fetch-Mode: no-cors",
        "Sec-Fetch-Site: same-origin",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    ]
)


@dataclass(frozen=True)
class Served:
    """A version of lookalike that serves: its process, its address, the paths of all thumbnails."""

    source: str
    process: int
    address: str
    paths: Sequence[str]

    @property
    def spent_s(self) -> float:
        """Processor time of the server so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, paths: Sequence[str]) -> None:
        """Thumbnails one after the other over one connection."""
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            file = connection.makefile("rb")
            for path in paths:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.address}\r\n{HEADERS}\r\n\r\n".encode())
                head = b"".join(iter(file.readline, b"\r\n"))
                length = re.search(rb"(?i)content-length: *(\d+)", head)
                if b" 200 " not in head[:20] or length is None:
                    sys.exit(f"{path}: {head[:200]!r}")
                file.read(int(length[1]))

    def round(self) -> tuple[float, float]:
        """Thumbnails a second; ms of the server's processor time for each."""
        parts = [[self.paths[(37 * k + i) % len(self.paths)] for i in range(ASKED // CONNECTIONS)] for k in range(6)]
        threads = [threading.Thread(target=self.ask, args=(part,)) for part in parts]
        spent, began = self.spent_s, time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ASKED / (time.perf_counter() - began), 1000 * (self.spent_s - spent) / ASKED


@contextmanager
def serving(source: str, photos: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "lookalike", "serve", str(photos), "--no-open", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": source}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address, token = process.stdout.readline().removeprefix("Open http://").strip().split("/#t=")

        def get(path: str) -> Any:
            request = urllib.request.Request(f"http://{address}{path}", headers={"authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        session = get("/api/session")
        c = f"/api/c/{session['collections'][0]['id']}"
        ids = [one["id"] for one in get(f"{c}/pictures?limit=300")["pictures"]]
        try:
            paths = [f"{c}/thumbs/{id}?side=320&key={session['image_key']}" for id in ids]
            served = Served(source, process.pid, address, paths)
            served.ask(paths)  # now they are kept
            yield served
        finally:
            process.terminate()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=[HERE], metavar="SRC")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        photos = real_pictures(Path(folder) / "photos", 300)
        subprocess.run([sys.executable, "-m", "lookalike", "index", str(photos)], check=True, capture_output=True)
        versions = [opened.enter_context(serving(source, photos)) for source in options.sources]
        rounds = [[one.round() for one in versions] for _ in range(options.rounds)]
    for version, found in zip(versions, zip(*rounds, strict=True), strict=True):
        rates, spent = zip(*found, strict=True)
        print(
            f"{version.source}: {statistics.median(rates):.0f} a second ({min(rates):.0f} to {max(rates):.0f}), "
            f"{statistics.median(spent):.2f} ms of processor time each ({min(spent):.2f} to {max(spent):.2f})"
        )


if __name__ == "__main__":
    main()
