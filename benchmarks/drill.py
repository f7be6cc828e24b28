"""A bucket indexed and taught by workers of Ray that are killed at random, while it changes and is searched.

    pip install -c constraints.txt '.[remote,ray,bench]'
    python benchmarks/drill.py --pictures 2000 --kills 10

A real S3 server (seaweedfs) and Ray with two workers on this machine. `index --on ray` and `learn --on ray` run in turn
as processes of their own; before each, pictures are put, replaced and removed. Workers and drivers are killed with
kill -9 at random moments, and what Ray leaves of a driver that was killed is ended. Another process searches all the
time. After the last kill both verbs run to their end. Then every picture of the bucket has one row, each row the
features that one process computed of the same pictures in a folder, each lens the vectors of these, and answers are
those of comparing all rows. Exits with 1 where anything else is found.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}

import numpy as np
import s3_server
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.drawn_network import write_pixels

from lookalike import Collection

PHOTOS, AT = f"s3://{s3_server.BUCKET}/photos", f"s3://{s3_server.BUCKET}/tables/photos"
CLASSES, EXAMPLES = 4, 40
QUERIES, K = 20, 10
SAME = 2e-3  # of values kept in 16 bits, and of cosines of them
RUN_S = 1800.0  # no run takes so long
LEFT_S = 15.0  # after that what Ray leaves of a killed driver stays


@dataclass
class Shop:
    """The bucket, and all pictures that are ever in it, drawn beforehand and embedded by one process.

    Attributes:
        folder: with all pictures, 0.png and so on. features: of each, by its number.
        holds: name in the bucket -> number of the picture there.
    """

    client: Any
    folder: Path
    features: np.ndarray
    rng: random.Random
    holds: dict[str, int] = field(default_factory=dict)
    unused: list[int] = field(default_factory=list)

    def put(self, name: str, number: int) -> None:
        body = (self.folder / f"{number}.png").read_bytes()
        self.client.put_object(Bucket=s3_server.BUCKET, Key=f"photos/{name}", Body=body)
        self.holds[name] = number

    def add(self, n: int) -> None:
        numbers = [self.unused.pop() for _ in range(min(n, len(self.unused)))]
        with ThreadPoolExecutor(8) as putters:
            list(putters.map(lambda number: self.put(f"{number % 7}/{number}.png", number), numbers))

    def change(self, n: int) -> str:
        """Remove some pictures, replace some by others under the same name, and put some new ones."""
        names = self.rng.sample(sorted(self.holds), n)
        removed, replaced = names[: n // 2], names[n // 2 :]
        for name in removed:
            self.client.delete_object(Bucket=s3_server.BUCKET, Key=f"photos/{name}")
            del self.holds[name]
        for name in replaced[: len(self.unused)]:
            self.put(name, self.unused.pop())
        before = len(self.holds)
        self.add(n)
        return f"{len(self.holds) - before} put, {len(replaced)} replaced, {len(removed)} removed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--shard", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        os.environ["LOOKALIKE_CACHE"] = str(work / "cache")
        backbone = write_pixels(work / "backbone")
        with s3_server.running(work) as client:
            rng = random.Random(asked.seed)
            shop = drawn(work, client, asked.pictures, backbone, rng)
            drill = Drill(work, shop, backbone, asked.shard, rng)
            drill.run(asked.kills)
            drill.report()
    sys.exit(1 if drill.faults else 0)


def drawn(work: Path, client: Any, n: int, backbone: Path, rng: random.Random) -> Shop:
    """Three times as many pictures as the bucket has at first; noise, so that no two are alike."""
    folder, noise = work / "all", np.random.default_rng(rng.randrange(2**32))
    folder.mkdir()
    for number in range(3 * n):
        Image.fromarray(noise.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    for number in range(EXAMPLES):
        place = work / "examples" / str(number % CLASSES)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes((folder / f"{number}.png").read_bytes())
    alone = Collection(folder, at=work / "alone", backbone=backbone)
    alone.index()
    files, found = alone.table.features()
    features = np.empty((3 * n, found.shape[1]), np.float32)
    features[[int(Path(file).stem) for file in files]] = found
    shop = Shop(client, folder, features, rng, unused=list(range(3 * n))[::-1])
    shop.add(n)
    return shop


class Drill:
    """Runs, kills, and what is found."""

    def __init__(self, work: Path, shop: Shop, backbone: Path, shard: int, rng: random.Random):
        self.work, self.shop, self.rng = work, shop, rng
        on = ["--on", "ray", "--workers", "2"]
        self.verbs = {
            "index": ["index", PHOTOS, "--at", AT, "--backbone", str(backbone), *on, "--shard", str(shard)],
            "learn": ["learn", AT, "--from", str(work / "examples"), "--name", "drill", "--replace", "--quick", *on],
        }
        self.kills, self.late, self.left, self.faults = Counter[str](), Counter[str](), 0, list[str]()
        self.busy_s = {"index": 10.0, "learn": 5.0}  # from the first worker to the end, of the last whole run
        self.answers: subprocess.Popen[str] | None = None
        self.rows = self.lost = self.twice = self.invented = self.searches = 0

    def run(self, kills: int) -> None:
        """Kill as often as asked, then run both verbs to their end and compare everything."""
        self.verb("index", "driver")
        plan: list[tuple[str, str]] = []
        while self.kills.total() < kills:
            changed = self.shop.change(max(2, len(self.shop.holds) // 20))
            if not plan:  # each as often, in any order
                plan = [(verb, kill) for verb in ("index", "index", "learn") for kill in ("worker", "driver")]
                self.rng.shuffle(plan)
            verb, kill = plan.pop() if self.answers else ("index", "worker")
            print(f"{changed}; {verb}", flush=True)
            self.verb(verb, kill)
            if self.answers is None and self.has_rows():
                self.answers = self.begin_searching()
        self.shop.change(max(2, len(self.shop.holds) // 20))
        for verb in ("index", "learn", "index"):
            self.verb(verb, None)
        self.end_searching()
        self.compare()

    def verb(self, verb: str, kill: str | None) -> None:
        """Run a verb; kill its driver, or one of its workers, at a random moment of its work."""
        with (self.work / "said").open("w+") as said:
            words = [sys.executable, "-m", "lookalike", *self.verbs[verb]]
            driver = subprocess.Popen(words, stdout=said, stderr=said, text=True, start_new_session=True)
            ends, worked = time.monotonic() + RUN_S, 0.0
            moment = self.rng.random()
            if kill == "driver" and moment < 0.2:  # also before it works
                ends_early = time.monotonic() + 50 * moment
                while time.monotonic() < ends_early and driver.poll() is None:
                    time.sleep(0.1)
                worked = time.monotonic() if driver.poll() is None else 0.0
            while not worked and driver.poll() is None and time.monotonic() < ends:
                worked = time.monotonic() if workers_of(driver.pid) else 0.0
                time.sleep(0.1)
            if kill and worked:
                self.wait(driver, worked + moment * self.busy_s[verb])
                self.kill(driver, verb, kill)
            try:
                driver.wait(RUN_S)
            except subprocess.TimeoutExpired:
                self.fault(f"{verb} did not end")
                os.kill(driver.pid, signal.SIGKILL)
                driver.wait()
            if kill is None and worked:
                self.busy_s[verb] = max(1.0, time.monotonic() - worked)
            self.left += end_session(driver.pid, LEFT_S)
            said.seek(0)
            text = said.read()
        if driver.returncode not in (0, -signal.SIGKILL) or "Traceback" in text:
            self.fault(f"{verb} exit {driver.returncode}: {text.strip()[-2000:]}")

    def wait(self, driver: "subprocess.Popen[str]", until: float) -> None:
        while time.monotonic() < until and driver.poll() is None:
            time.sleep(0.02)

    def kill(self, driver: "subprocess.Popen[str]", verb: str, kill: str) -> None:
        """What has ended by then is counted as late."""
        found = [driver.pid] if kill == "driver" else workers_of(driver.pid)
        if driver.poll() is not None or not found:
            self.late[f"{kill} of {verb}"] += 1
            self.busy_s[verb] *= 0.7
            return
        try:
            os.kill(self.rng.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            self.late[f"{kill} of {verb}"] += 1
            return
        self.kills[f"{kill} of {verb}"] += 1
        print(f"killed: {kill} of {verb} ({self.kills.total()})", flush=True)

    def has_rows(self) -> bool:
        snapshot = Collection(PHOTOS, at=AT).table.snapshot()
        return snapshot is not None and len(snapshot) > K

    def begin_searching(self) -> "subprocess.Popen[str]":
        answers = (self.work / "answers").open("w")
        words = [sys.executable, str(Path(__file__).with_name("drill_searches.py")), AT, str(self.shop.folder)]
        return subprocess.Popen([*words, str(K)], stdout=answers, stderr=subprocess.STDOUT, text=True)

    def end_searching(self) -> None:
        """Each answer that was given meanwhile has the cosines of pictures that had been in the bucket, in order."""
        if self.answers is None:
            self.fault("nothing was searched")
            return
        if self.answers.poll() is not None:
            self.fault("the process that searches ended")
        self.answers.kill()
        self.answers.wait()
        lines = (self.work / "answers").read_text().splitlines()
        unit = unit_rows(self.shop.features)
        for line in lines:
            if not line.startswith("{") or not line.endswith("}"):
                if line is not lines[-1]:
                    self.fault(f"searching: {line}")
                continue
            self.searches += 1
            answer = json.loads(line)
            cosines = [float(one) for _, one in answer["hits"]]
            files = [str(file) for file, _ in answer["hits"]]
            all_cosines = unit @ unit[answer["query"]]
            if len(set(files)) != len(files) or len(files) != K or cosines != sorted(cosines, reverse=True):
                self.fault(f"answer meanwhile: {line[:200]}")
            elif any(np.abs(all_cosines - one).min() > SAME for one in cosines):
                self.fault(f"cosine of no picture: {line[:200]}")

    def compare(self) -> None:
        """Rows, vectors, lenses and answers at the end."""
        collection = Collection(PHOTOS, at=AT)
        files, features = collection.table.features()
        count = Counter(files)
        self.rows = len(files)
        self.lost = len(set(self.shop.holds) - set(count))
        self.invented = len(set(count) - set(self.shop.holds))
        self.twice = sum(n > 1 for n in count.values())
        if self.lost or self.invented or self.twice:
            self.fault(f"rows: {self.lost} lost, {self.invented} of pictures that are gone, {self.twice} twice")
        numbers = [self.shop.holds.get(file, -1) for file in files]
        wrong = np.abs(np.asarray(features, np.float32) - self.shop.features[numbers]).max(1) > SAME
        if wrong.any():
            self.fault(f"{wrong.sum()} rows have not the features of their picture, as {files[wrong.argmax()]}")
        lens, (_, column) = collection.lens("drill"), collection.table.features(column="lens:drill")
        if len(column) != len(files) or np.abs(column - lens.apply(features)).max() > SAME:
            self.fault("a lens has vectors that are not those of its rows")
        for name, vectors in (("plain", np.asarray(features)), ("drill", np.asarray(column))):
            self.compare_answers(collection, name, files, unit_rows(vectors.astype(np.float32)))

    def compare_answers(self, collection: Collection, lens: str, files: list[str], unit: np.ndarray) -> None:
        place = {file: i for i, file in enumerate(files)}
        for query in self.rng.sample(files, QUERIES):
            hits = collection.search(query, k=K, lens=lens)
            cosines = unit @ unit[place[query]]
            cosines[place[query]] = 2.0  # itself comes first
            best = np.sort(cosines)[::-1][:K]
            found = np.array([cosines[place[hit.file]] for hit in hits])
            if len(found) != K or len({hit.file for hit in hits}) != K or np.abs(found - best).max() > SAME:
                self.fault(f"{lens}: {query} is not answered as by comparing all rows")

    def fault(self, words: str) -> None:
        self.faults.append(words)
        print(f"FAULT {words}", flush=True)

    def report(self) -> None:
        print("\n| killed | times |\n| --- | ---: |")
        for what, n in sorted(self.kills.items()):
            print(f"| {what} | {n} |")
        print(
            f"\n{self.kills.total()} kills ({self.late.total()} came too late and are not counted), {self.left} "
            f"processes of Ray ended that were left of them. {self.rows} rows: {self.lost} lost, {self.twice} twice, "
            f"{self.invented} of pictures that are gone. {self.searches} searches meanwhile. "
            f"{len(self.faults)} faults."
        )


def unit_rows(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def session_of(driver: int) -> dict[int, str]:
    """The processes of a driver's session but itself, also where their parents have ended: number -> command."""
    listed = subprocess.run(["ps", "-eo", "pid=,sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in listed.splitlines():
        process, session, state, command = line.split(maxsplit=3)
        if int(session) == driver != int(process) and not state.startswith("Z"):
            found[int(process)] = command
    return found


def workers_of(driver: int) -> list[int]:
    """Ray's processes that do the work of a driver, once they do."""
    return [process for process, command in session_of(driver).items() if command.startswith("ray::_Actor")]


def end_session(driver: int, wait_s: float) -> int:
    """End what is left of a driver's session after a while. Gives how many processes."""
    ends = time.monotonic() + wait_s
    while (left := session_of(driver)) and time.monotonic() < ends:
        time.sleep(0.5)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(left)


if __name__ == "__main__":
    main()
