"""A real S3 server on this machine (moto's), with a bucket a test; without the package its tests are skipped."""

import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

KEY, SECRET = "a-key-of-tests", "the-secret-word-of-tests"
_NAMES = ("AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION")


class Server:
    """Where it listens, and a client of it for what tests prepare."""

    def __init__(self, url: str):
        import boto3

        self.url = url
        self.client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
        )

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def names(self, bucket: str) -> list[str]:
        """The names of all objects of a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def user(self, *actions: str) -> tuple[str, str]:
        """A new user's key and secret, who may do these actions on everything."""
        import boto3

        iam = boto3.client(
            "iam", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
        )
        name = uuid.uuid4().hex
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    @contextmanager
    def asking_for_keys(self) -> Iterator[None]:
        """Within it, the server checks who asks, and what he may."""
        self._check_keys("0")
        try:
            yield
        finally:
            self._check_keys("inf")

    def _check_keys(self, after: str) -> None:
        import requests

        requests.post(f"{self.url}/moto-api/reset-auth", data=after, timeout=60)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    """The server of this session."""
    pytest.importorskip("obstore", reason="needs object storage: install lookalike[remote]")
    moto = pytest.importorskip("moto.server", reason="needs an S3 server to test with: install moto[server]")
    server: Any = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Server(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def s3(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, with the environment of a user of it."""
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings(s3_server.url).items():
        monkeypatch.setenv(name, value)
    return s3_server


def settings(url: str, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    """The variables of the environment by which a user of a server asks it."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
