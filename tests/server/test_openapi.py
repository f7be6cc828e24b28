"""openapi.json: valid, and a client that is generated from it goes the way of the tutorial."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.client import Client

validator = pytest.importorskip("openapi_spec_validator")
pytest.importorskip("openapi_python_client")


def test_the_description_is_valid(api: Client):
    validator.validate(api.json("/api/openapi.json"))


def test_a_generated_client_indexes_searches_judges_and_learns(
    badges: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "openapi.json").write_text(json.dumps(badges.json("/api/openapi.json")))
    (tmp_path / "config.yml").write_text(
        "package_name_override: made_client\npost_hooks: []\n"
        "content_type_overrides: {image/jpeg: application/octet-stream}\n"
    )
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    files = ["--path", str(tmp_path / "openapi.json"), "--config", str(tmp_path / "config.yml")]
    done = subprocess.run(
        [*command, *files, "--output-path", str(tmp_path / "made_client")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower(), done.stdout
    monkeypatch.syspath_prepend(tmp_path)

    def call(tag: str, name: str, *args, **kwargs):
        answer = importlib.import_module(f"made_client.api.{tag}.{name}").sync_detailed(*args, client=client, **kwargs)
        assert 200 <= answer.status_code < 300, answer.content
        return answer.parsed

    made = importlib.import_module("made_client")
    models = importlib.import_module("made_client.models")
    own = f"http://127.0.0.1:{badges.server.port}"
    client = made.AuthenticatedClient(base_url=own, token=badges.server.access.token, timeout=60)

    def run(**asked) -> object:
        job = call("jobs", "start_job", c, body=models.JobRequest.from_dict(asked))
        while job.state in ("running", "stopping"):
            time.sleep(0.05)
            job = call("jobs", "job", c, job.id)
        assert job.state == "done", job.error
        return job

    (collection,) = call("collections", "session").collections
    c = collection.id
    run(do="index")
    pictures = call("pictures", "pictures", c, limit=500).pictures
    assert len(pictures) == len(list((tmp_path / "photos").rglob("*.png")))
    asked = models.SearchRequest(positive=[models.Asked(id=pictures[0].id)], k=3)
    hits = call("search", "search", c, body=asked).hits
    assert (hits[0].id, hits[0].similarity, len(hits)) == (pictures[0].id, 1.0, 3)
    said = models.JudgementRequest(query=pictures[0].id, yes=[pictures[1].id])
    assert call("judgements", "judge", c, body=said).lines == 1
    run(do="learn", source="folders", name="kinds", quick=True)
    (lens,) = call("lenses", "lenses", c)
    assert lens.name == "kinds"
    client.get_httpx_client().close()
