"""A hub's models: fetched once, and everything that can go wrong on the way; the hub is one that runs here."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("transformers")
COMMIT, PULLED = "c0ffee" + "0" * 34, "decade" + "1" * 34


class Hub(ThreadingHTTPServer):
    """Gives files as the hub does: a commit, an etag, and its names for what went wrong."""

    def __init__(self, models: dict[str, dict[str, bytes]]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models, self.asked, self.breaks = models, [], False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        path = self.path.split("?")[0].strip("/")
        self.server.asked.append(path)
        if path.startswith("api/models/") and path.endswith("/discussions"):
            model = path.removeprefix("api/models/").removesuffix("/discussions")
            pulls = [_pull(7)] if f"{model}@refs/pr/7" in self.server.models else []
            return self._send(200, json.dumps({"discussions": pulls, "count": len(pulls), "start": 0}).encode(), body)
        model, _, rest = path.partition("/resolve/")
        revision, _, file = rest.replace("%2F", "/").rpartition("/")
        if model == "some/gated":
            return self._send(403, b"", body, code="GatedRepo")
        at = model if revision in {"main", COMMIT} else f"{model}@{'refs/pr/7' if revision == PULLED else revision}"
        if model not in self.server.models:
            return self._send(401, b"", body, code="RepoNotFound")
        if at not in self.server.models:
            return self._send(404, b"", body, code="RevisionNotFound")
        commit = COMMIT if at == model else PULLED
        if file not in self.server.models[at]:
            return self._send(404, b"", body, code="EntryNotFound", commit=commit)
        return self._send(200, self.server.models[at][file], body, commit=commit)

    def _send(self, status: int, content: bytes, body: bool, code: str = "", commit: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
            self.send_header("ETag", f'"{abs(hash(content)):x}"')
        self.end_headers()
        if body and self.server.breaks and len(content) > 2000:
            self.wfile.write(content[:1000])
            self.close_connection = True
        elif body:
            self.wfile.write(content)


def _pull(number: int) -> dict[str, object]:
    return {
        "num": number,
        "title": "Adding `safetensors` variant of this model",
        "author": {"name": "SFconvertbot"},
        "isPullRequest": True,
        "status": "open",
        "createdAt": "2023-01-01T00:00:00.000Z",
        "repo": {"name": "some/older", "type": "model"},
    }


@pytest.fixture(scope="module")
def hub(from_transformers):
    folder, _ = from_transformers("resnet")
    files = {one.name: one.read_bytes() for one in folder.iterdir()}
    small = {name: content for name, content in files.items() if name != "model.safetensors"}
    models = {
        "some/resnet": {**files, "README.md": b"---\nlicense: mit\n---\n"},
        "some/older": {**small, "pytorch_model.bin": b"pickle"},
        "some/older@refs/pr/7": files,
        "some/pickled": {**small, "pytorch_model.bin": b"pickle"},
        "some/sharded": {**small, "model.safetensors.index.json": b"{}"},
        "some/broken": files,
        "some/clip": {one.name: one.read_bytes() for one in from_transformers("clip_words")[0].iterdir()},
        "some/timm": {"model.safetensors": files["model.safetensors"]},
        "some/bare": {name: content for name, content in files.items() if name != "preprocessor_config.json"},
    }
    server = Hub(models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(code: str, where: Path, endpoint: str) -> list[str]:
    """Run in a process of its own, because huggingface_hub reads its address when it is imported."""
    kept = {"HF_HOME": str(where / "hub"), "LOOKALIKE_CACHE": str(where / "cache"), "HF_ENDPOINT": endpoint}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **kept})
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


ERRORS = """
from lookalike.models.registry import resolve_bundle
from lookalike.errors import BundleError
for name in {names!r}:
    try:
        resolve_bundle(name)
    except BundleError as error:
        print(error)
"""


def test_what_the_hub_refuses_is_one_line_with_the_mend(hub: Hub, tmp_path: Path):
    expected = {
        "some/gated": "given out on request only. Accept its terms on its page, then run: hf auth login",
        "some/nothing": "no such model on the hub, nor a folder here. Check the name; where it is a private one, "
        "run first: hf auth login",
        "some/resnet@v9": "no such revision of some/resnet. Leave out what follows the @.",
        "some/sharded": "its weights lie in several files. Save them in one: "
        "AutoModel.from_pretrained(..).save_pretrained('FOLDER', max_shard_size='10GB')",
        "some/pickled": "only pytorch_model.bin, which can run code when it is read; model.safetensors is missing. "
        "Where you trust it, save it anew: "
        "AutoModel.from_pretrained(..).save_pretrained('FOLDER', max_shard_size='10GB')",
        "some/timm": "a model of timm's, it has no config.json. Name a folder in transformers' format (config.json, "
        "preprocessor_config.json, model.safetensors) or a bundle (model.onnx, backbone.json).",
        "some/bare": "preprocessor_config.json is missing, so nothing says how its pixels are scaled. "
        "Copy it from where the model came from, beside config.json.",
    }
    lines = ask(ERRORS.format(names=list(expected)), tmp_path, f"http://127.0.0.1:{hub.server_port}")
    assert lines == [f"{name}: {line}" for name, line in expected.items()]


def test_without_a_network_the_line_says_so(tmp_path: Path):
    """huggingface_hub would try five times more, and sleep 23 seconds between them: it is not asked to."""
    code = "import time\ntime.sleep = lambda seconds: print('slept')\n" + ERRORS.format(
        names=["some/resnet", "siglip2"]
    )
    lines = ask(code, tmp_path, "http://127.0.0.1:9")
    assert lines == [
        f"{name}: not on this disk yet, and the hub cannot be reached. Check the network, "
        "or name a folder with the model's files."
        for name in ("some/resnet", "google/siglip2-base-patch16-224")
    ]


def test_a_download_that_breaks_off_is_one_line_and_continues(hub: Hub, tmp_path: Path):
    """The first answers end after a thousand bytes; then the hub is well, and what had come is not asked again."""
    code = "import time; time.sleep = lambda seconds: None\n" + ERRORS.format(names=["some/broken"])
    hub.breaks = True
    (line,) = ask(code, tmp_path, f"http://127.0.0.1:{hub.server_port}")
    hub.breaks = False
    assert line.startswith("some/broken: the hub did not give model.safetensors whole (")
    assert line.endswith("). Run the same again: what is there is kept.")
    begun = len(hub.asked)
    assert ask(code, tmp_path, f"http://127.0.0.1:{hub.server_port}") == []
    assert any(path.endswith("model.safetensors") for path in hub.asked[begun:])


def test_the_tokenizer_of_a_model_with_texts_is_fetched_too(hub: Hub, tmp_path: Path):
    code = """
from lookalike.models.convert.hub import fetch
print(*sorted(file.name for file in fetch("some/clip").folder.iterdir()))
"""
    assert ask(code, tmp_path, f"http://127.0.0.1:{hub.server_port}") == [
        "config.json model.safetensors preprocessor_config.json tokenizer.json tokenizer_config.json"
    ]


def test_a_model_of_the_hub_is_fetched_and_converted_once(hub: Hub, tmp_path: Path):
    code = """
import sys
from lookalike import Backbone
for name in {names}:
    bundle = Backbone(name, precision="f32").bundle
    print(bundle.name, bundle.source, bundle.licence, "torch" in sys.modules)
"""
    lines = ask(code.format(names=["some/resnet"]), tmp_path, f"http://127.0.0.1:{hub.server_port}")
    assert lines == [f"some/resnet hub: some/resnet@{COMMIT} mit True"]
    asked = len(hub.asked)
    again = ask(code.format(names=["some/resnet", f"some/resnet@{COMMIT}"]), tmp_path, "http://127.0.0.1:9")
    assert again == [f"some/resnet hub: some/resnet@{COMMIT} mit False"] * 2
    assert len(hub.asked) == asked


def test_of_a_model_of_pickles_the_safetensors_of_the_hubs_bot_are_fetched(hub: Hub, tmp_path: Path):
    code = """
from lookalike.models.convert.hub import fetch
found = fetch("some/older")
print(found.called, found.origin, found.licence)
print(*sorted(file.name for file in found.folder.iterdir()))
"""
    assert ask(code, tmp_path, f"http://127.0.0.1:{hub.server_port}") == [
        f"some/older hub: some/older@{PULLED} unknown",
        "config.json model.safetensors preprocessor_config.json",
    ]
