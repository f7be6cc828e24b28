"""Searches a collection again and again until it is killed, a line an answer: the other process of drill.py.

python benchmarks/drill_searches.py s3://bucket/tables/photos FOLDER 10
"""

import json
import random
import sys
import time
from pathlib import Path

from lookalike import Collection

PAUSE_S = 0.5  # the processors are those of the workers


def main() -> None:
    at, folder, k = sys.argv[1:]
    collection, rng = Collection(at), random.Random(0)
    pictures = sorted(Path(folder).iterdir())
    while True:
        query = rng.choice(pictures)
        hits = collection.search(query, k=int(k), lens="plain")
        answer = {"query": int(query.stem), "hits": [[hit.file, hit.similarity] for hit in hits]}
        print(json.dumps(answer), flush=True)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
