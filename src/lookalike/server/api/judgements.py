"""What people say of pictures."""

from typing import Any

from fastapi import APIRouter

from lookalike.server.api.dependencies import Opened
from lookalike.server.errors import Refusal
from lookalike.server.schemas import JudgementRequest, LinesResponse

router = APIRouter(tags=["judgements"])


@router.get("/c/{c}/judgements")
def judgements(opened: Opened) -> list[dict[str, Any]]:
    """All judgements that stand, oldest first, each picture by its id and file."""
    pictures = opened.pictures()

    def named(file: str | None) -> dict[str, str | None] | None:
        if file is None:
            return None
        row = pictures.gallery.row_of(file)
        return {"file": file, "id": None if row is None else pictures.at(row).id}

    return [
        {"t": one.t, "who": one.who, "query": named(one.query), "yes": named(one.yes), "no": named(one.no)}
        for one in opened.collection.judgements.standing()
    ]


@router.post("/c/{c}/judgements", status_code=201)
def judge(opened: Opened, request: JudgementRequest) -> LinesResponse:
    """Say which pictures belong with one, and which don't."""
    query = opened.picture(request.query).file
    yes, no = ([opened.picture(id).file for id in ids] for ids in (request.yes, request.no))
    with opened.lock:
        return LinesResponse(lines=opened.collection.judge(query, yes, no))


@router.delete("/c/{c}/judgements/last")
def undo_judgement(opened: Opened) -> dict[str, Any]:
    """Take the last one back; the answer is what was taken back."""
    judgements = opened.collection.judgements
    if judgements.last() is None:
        raise Refusal(404, "judgements.none", "nothing to take back.")
    taken = judgements.undo()
    return {"said": str(taken), **taken.to_json()}
