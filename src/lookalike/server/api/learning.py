"""Lenses: what would be learned, what was, what its proof says, and which one serves."""

from typing import Any, Literal

from fastapi import APIRouter

from lookalike.collection.dataset_source import source_of
from lookalike.collection.lens_permission import is_allowed, words_of
from lookalike.server.api.dependencies import LensName, Opened
from lookalike.server.errors import Refusal
from lookalike.server.schemas import JobOut
from lookalike.server.teaching_schemas import ExamplesResponse, LensOut, UseRequest
from lookalike.server.work import examples_source, use_work

router = APIRouter(tags=["lenses"])


@router.get("/c/{c}/examples")
def examples(opened: Opened, source: Literal["judgements", "folders", "views"] = "judgements") -> ExamplesResponse:
    """What would be learned and held out, in lines."""
    with opened.lock:
        asked, layout = examples_source(opened, source)
        return ExamplesResponse(lines=opened.collection.check(asked, as_=layout))


@router.get("/c/{c}/lenses")
def lenses(opened: Opened) -> list[LensOut]:
    """All lenses, with what their proofs say."""
    with opened.lock:
        return [LensOut(**one) for one in opened.collection.lenses()]


@router.get("/c/{c}/lenses/{name}")
def lens(opened: Opened, name: LensName) -> dict[str, Any]:
    """A lens: its settings, its proof, its curve."""
    with opened.lock:
        found = opened.collection.lens(name)
        serves = opened.collection.home.require_config().lens == name
    proof = found.proof
    return {
        "name": name,
        "serves": serves,
        "allowed": is_allowed(found),
        "words": words_of(found),
        "dims": found.dims,
        "source": source_of(found.settings),
        "settings": found.settings,
        "proof": None if proof is None else proof.to_json(),
    }


@router.delete("/c/{c}/lenses/{name}")
def forget_lens(opened: Opened, name: LensName) -> dict[str, str]:
    """Remove a lens."""
    with opened.lock:
        opened.collection.forget(name)
    return {"name": name}


@router.post("/c/{c}/lenses/{name}/use", responses={202: {"model": JobOut}})
def use_lens(opened: Opened, name: LensName, request: UseRequest) -> dict[str, str]:
    """Search through this lens from now on; "plain" goes back."""
    if opened.jobs.running() is not None:
        raise Refusal(409, "job.running", "busy. Wait for the job that runs, or stop it.")
    with opened.lock:
        use_work(opened.collection, name, request.anyway)
    return {"name": name}
