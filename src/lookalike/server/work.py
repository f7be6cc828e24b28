"""What jobs do: calls on a collection that take time."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from lookalike.collection.collection import Collection
from lookalike.collection.dataset_source import ExamplesSource
from lookalike.distributed.pictures import BucketPictures
from lookalike.errors import ExamplesError
from lookalike.learning.config import LearnOptions
from lookalike.learning.datasets.tables import Layout
from lookalike.progress import Reporter
from lookalike.server.errors import Refusal
from lookalike.server.jobs import OWN_FOLDER, Work
from lookalike.server.schemas import JobRequest
from lookalike.server.workspace import OpenCollection


def work_for(opened: OpenCollection, request: JobRequest) -> Work:
    """What a request for a job asks for. Raises: Refusal."""
    if request.do == "index":
        return lambda reporter: _index(opened.another(), reporter)
    if request.do == "learn":
        return lambda reporter: _learn(opened, request, reporter)
    if request.do == "use":
        if request.name is None:
            raise Refusal(400, "request", "name the lens to use.")
        name = request.name
        return lambda reporter: use_work(opened.another(), name, request.anyway, reporter)
    if request.do == "map":
        return lambda reporter: _map(opened.another(), request.lens or "plain", reporter)
    return lambda reporter: _export(opened, request, reporter)


def examples_source(opened: OpenCollection, source: str) -> tuple[ExamplesSource, Layout | None]:
    """The examples of the page as the library takes them. Raises: ExamplesError."""
    if source == "folders":
        if isinstance(opened.collection.home.pictures, BucketPictures):
            raise ExamplesError(
                f"{opened.collection.home.name}: folders of a bucket are not read as classes. Learn from answers, from "
                f"each picture by itself, or from a CSV: lookalike learn {opened.collection.home.shell_words} CSV"
            )
        return opened.collection.folder, "classes"
    if source == "views":
        return None, "views"
    return opened.collection.judgements.examples(opened.collection.folder), None


def use_work(collection: Collection, name: str, anyway: bool, reporter: Reporter | None = None) -> dict[str, str]:
    """Put a lens into service. Raises: LensError, LockedError."""
    collection.use(name, anyway=anyway, report=reporter)
    return {"name": name}


def _index(collection: Collection, reporter: Reporter) -> dict[str, Any]:
    done = collection.index(report=reporter)
    return {
        "added": done.added,
        "changed": done.changed,
        "moved": done.moved,
        "gone": done.gone,
        "unchanged": done.unchanged,
        "refused": len(done.refused),
    }


def _learn(opened: OpenCollection, request: JobRequest, reporter: Reporter) -> dict[str, Any]:
    source, layout = examples_source(opened, request.source)
    options: LearnOptions = {"quick": request.quick, "seed": request.seed}
    if request.loss is not None:
        options["loss"] = request.loss
    if request.epochs is not None:
        options["epochs"] = request.epochs
    if request.unfreeze is not None:
        options["unfreeze"] = request.unfreeze
    lens = opened.another().learn(
        source, name=request.name, as_=layout, replace=request.replace, report=reporter, **options
    )
    proof = lens.proof
    return {
        "name": lens.name,
        "verdict": None if proof is None else proof.verdict,
        "serves": proof is not None and proof.serves,
        "words": "" if proof is None else proof.words,
    }


def _map(collection: Collection, lens: str, reporter: Reporter) -> dict[str, Any]:
    files, _ = collection.layout(lens=lens, report=reporter)
    return {"pictures": len(files), "lens": lens}


def _export(opened: OpenCollection, request: JobRequest, reporter: Reporter) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix=OWN_FOLDER))
    out = folder / f"{opened.name}.{'jsonl' if request.what == 'judgements' else request.what}"
    try:
        if request.what == "judgements":
            path = opened.collection.judgements.path
            out.write_bytes(path.read_bytes() if path.exists() else b"")
        else:
            opened.another().export(out, lens=request.lens or "plain")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return {"file": out.name, "bytes": out.stat().st_size, "path": str(out)}
