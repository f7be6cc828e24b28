"""What people say of pictures: what belongs together and what does not, and what is no duplicate."""

from itertools import product
from typing import Any

from fastapi import APIRouter

from lookalike.learning.datasets.judgement_lines import Apart, Distinct, Judgement
from lookalike.server.api.dependencies import HexId, Opened
from lookalike.server.errors import Refusal
from lookalike.server.teaching_schemas import (
    DistinctRequest,
    JudgementOut,
    JudgementRequest,
    LinesResponse,
    NamedPicture,
)

router = APIRouter(tags=["judgements"])


@router.get("/c/{c}/judgements")
def judgements(opened: Opened) -> list[JudgementOut]:
    """Which pictures belong together and which don't, as far as it stands, oldest first."""
    found, asked = [], []
    for one in opened.collection.judgements:
        about: dict[str, Any] = {"line": one.line, "t": one.t, "who": one.who, "said": str(one)}
        if isinstance(one, Judgement):
            files = {"query": one.query, "yes": one.yes} | ({} if one.no is None else {"no": one.no})
            kind = "pair" if one.no is None else "triplet"
        elif isinstance(one, Apart):
            files, kind = {"query": one.one, "no": one.other}, "distinct" if isinstance(one, Distinct) else "apart"
        else:
            continue
        about["kind"] = kind
        found.append(about)
        asked.append(files)
    names = list(dict.fromkeys(file for files in asked for file in files.values()))
    ids = {
        name: None if one is None else one.id for name, one in zip(names, opened.pictures().named(names), strict=True)
    }
    for about, files in zip(found, asked, strict=True):
        about |= {role: NamedPicture(file=file, id=ids[file]) for role, file in files.items()}
    return [JudgementOut(**about) for about in found]


@router.post("/c/{c}/judgements", status_code=201)
def judge(opened: Opened, request: JudgementRequest) -> LinesResponse:
    """Say which pictures belong with one, and which don't: each by itself."""
    query = opened.picture(request.query).file
    yes, no = ([opened.picture(id).file for id in ids] for ids in (request.yes, request.no))
    return LinesResponse(lines=opened.collection.judgements.add_answer(query, yes, no))


@router.delete("/c/{c}/judgements/last")
def undo_judgement(opened: Opened) -> dict[str, Any]:
    """Take back the last line, of whichever kind; the answer is what was taken back."""
    if opened.collection.judgements.last() is None:
        raise Refusal(404, "judgements.none", "nothing to take back.")
    taken = opened.collection.judgements.undo()
    return {"said": str(taken), **taken.to_json()}


@router.delete("/c/{c}/judgements/{query}/{other}")
def take_back(opened: Opened, query: HexId, other: HexId) -> LinesResponse:
    """Take back what was said of whether two pictures belong together, whenever that was."""
    pairs = product(opened.files_of(query), opened.files_of(other))
    lines = sum(opened.collection.judgements.take_back(one.file, two.file) for one, two in pairs)
    if not lines:
        raise Refusal(404, "judgements.none", "nothing was said of these two.")
    return LinesResponse(lines=lines)


@router.post("/c/{c}/duplicates", status_code=201)
def keep_distinct(opened: Opened, request: DistinctRequest) -> LinesResponse:
    """Say that two pictures are no duplicates: they are not shown as such again, and nothing is learned from it."""
    one, other = (opened.picture(id).file for id in request.distinct)
    return LinesResponse(lines=opened.collection.judgements.add_distinct(one, [other]))
