"""The server's memory, minute by minute, while 16 clients ask it for everything at once.

Run: LOOKALIKE_DATA=... python benchmarks/server_memory.py [--minutes 2] [--clients 16] [--pictures 600]

The server is a process of its own; the clients are threads of this one. Each asks, at random, for thumbnails, searches
(by id, for and against, under a condition), pages of pictures, large images, uploads of 224 px to 12 megapixels that it
then searches with, and things that are refused; it opens a new connection now and then, and leaves some answers unread.
Memory is what only this process has (anonymous pages), read every second and counted from the first answers on, when
the gallery is loaded. Pictures that are being decoded come and go: of each minute the least and the most are printed,
and the slope is that of a straight line through the least of each, without the first quarter.
"""

import argparse
import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from server import real_pictures

EVERY_S = 1.0
SIZES = ((224, 224), (224, 224), (640, 480), (2000, 1500), (4000, 3000))


class Client:
    """One client: a connection that is kept, a seed, and counts of what it was answered."""

    def __init__(self, address: str, token: str, seed: int):
        self.address, self.rng, self.answers = address, np.random.default_rng(seed), Counter[int]()
        self.headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self.connection = HTTPConnection(address, timeout=120)

    def ask(self, path: str, body: Any = None, *, unread: bool = False) -> bytes:
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        self.connection.request("GET" if body is None else "POST", path, sent, self.headers)
        answer = self.connection.getresponse()
        self.answers[answer.status] += 1
        if unread:
            self.again()
            return b""
        return answer.read()

    def again(self) -> None:
        """A new connection."""
        self.connection.close()
        self.connection = HTTPConnection(self.address, timeout=120)

    def act(self, c: str, ids: list[str]) -> None:
        """One act of a person or a program."""
        one, other = (ids[int(place)] for place in self.rng.integers(len(ids), size=2))
        kind = self.rng.random()
        if kind < 0.45:
            side = self.rng.choice([160, 320, 640])
            self.ask(f"{c}/thumbs/{one}?side={side}", unread=bool(self.rng.random() < 0.02))
        elif kind < 0.70:
            self.ask(f"{c}/search", self.asked(one, other))
        elif kind < 0.82:
            order = self.rng.choice(["file", "mtime", "random"])
            self.ask(f"{c}/pictures?limit=400&offset={self.rng.integers(len(ids))}&order={order}")
        elif kind < 0.88:
            self.ask(f"{c}/images/{one}")
        elif kind < 0.94:
            self.upload(c)
        elif kind < 0.96:
            self.ask(f"{c}/status")
        else:
            path, body = self.refused(c)
            self.ask(path, body)
        if self.rng.random() < 0.02:
            self.again()

    def asked(self, one: str, other: str) -> dict[str, Any]:
        body: dict[str, Any] = {"positive": [{"id": one}], "k": int(self.rng.integers(1, 200))}
        if self.rng.random() < 0.3:
            body |= {"negative": [{"id": other}]}
        if self.rng.random() < 0.3:
            body |= {"where": f"width > {self.rng.integers(400)} AND bytes < {self.rng.integers(10**5, 10**7)}"}
        return body

    def upload(self, c: str) -> None:
        size = SIZES[int(self.rng.integers(len(SIZES)))]
        blocks = Image.fromarray(self.rng.integers(0, 255, (8, 8, 3), np.uint8))
        buffer = io.BytesIO()
        blocks.resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
        query = json.loads(self.ask(f"{c}/queries", buffer.getvalue()))["query"]
        self.ask(f"{c}/search", {"positive": [{"query": query, "region": [0.1, 0.1, 0.7, 0.7]}]})
        self.ask(f"{c}/queries/{query}/thumb")

    def refused(self, c: str) -> tuple[str, Any]:
        asked = [
            (f"{c}/thumbs/{self.rng.bytes(16).hex()}", None),
            (f"{c}/nothing/{self.rng.bytes(4).hex()}", None),
            (f"{c}/queries", b"no picture"),
            (f"{c}/search", {"positive": [], "k": 10**6}),
            (f"{c}/pictures?where=nope%3D{self.rng.integers(10**9)}", None),
        ]
        return asked[int(self.rng.integers(len(asked)))]


@contextmanager
def served(photos: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A server of its own: its process, its address, its token."""
    run = [sys.executable, "-m", "lookalike"]
    subprocess.run([*run, "index", str(photos)], check=True, capture_output=True)
    command = [*run, "serve", str(photos), "--no-open", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address, token = process.stdout.readline().removeprefix("Open http://").strip().split("/#t=")
        try:
            yield process, address, token
        finally:
            process.terminate()


def memory(pid: int) -> tuple[float, float, int]:
    """MB that only this process has; MB resident, with the pages of files; threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE)}
    return found["RssAnon"] / 1000, found["VmRSS"] / 1000, found["Threads"]


def minute_of(pid: int, seconds: float) -> list[float]:
    """What only this process has, in MB, at each second."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(EVERY_S)
        found.append(memory(pid)[0])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--pictures", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = real_pictures(Path(folder) / "photos", options.pictures)
        with served(photos) as (process, address, token):
            watch(process, address, token, options.clients, options.minutes)


def watch(process: "subprocess.Popen[str]", address: str, token: str, clients: int, minutes: float) -> None:
    first = Client(address, token, 0)
    c = f"/api/c/{json.loads(first.ask('/api/session'))['collections'][0]['id']}"
    ids = [one["id"] for one in json.loads(first.ask(f"{c}/pictures?limit=500"))["pictures"]]
    ids += [one["id"] for one in json.loads(first.ask(f"{c}/pictures?limit=6&where=width%3E3000"))["pictures"]]
    for id in ids[:20]:
        first.ask(f"{c}/search", {"positive": [{"id": id}]})
    begun, over = memory(process.pid), threading.Event()
    print(f"gallery loaded: {begun[0]:.0f} MB of its own, {begun[1]:.0f} MB resident, {begun[2]} threads", flush=True)

    def run(client: Client) -> None:
        while not over.is_set():
            with contextlib.suppress(HTTPException, OSError):
                client.act(c, ids)
                continue
            client.answers[0] += 1
            client.again()

    asking = [Client(address, token, seed) for seed in range(1, clients + 1)]
    threads = [threading.Thread(target=run, args=(one,)) for one in asking]
    for thread in threads:
        thread.start()
    start, least, most = time.monotonic(), [], []
    while time.monotonic() - start < 60 * minutes:
        found = minute_of(process.pid, min(60.0, 60 * minutes))
        least.append(min(found) - begun[0])
        most.append(max(found) - begun[0])
        _, resident, number = memory(process.pid)
        total = sum(sum(one.answers.values()) for one in asking)
        print(
            f"{(time.monotonic() - start) / 60:5.1f} min: {least[-1]:+.0f} to {most[-1]:+.0f} MB, {resident:.0f} MB "
            f"resident, {number} threads, {total:,} answers",
            flush=True,
        )
    over.set()
    for thread in threads:
        thread.join()
    answers = sum((one.answers for one in asking), Counter[int]())
    print("answers by status (0: none came):", dict(sorted(answers.items())))
    later = least[len(least) // 4 :]
    if len(later) > 1:
        slope = np.polyfit(np.arange(len(later)), later, 1)[0]
        print(f"slope of the least: {slope:+.2f} MB a minute; the most at any time: {max(most):+.0f} MB")


if __name__ == "__main__":
    main()
