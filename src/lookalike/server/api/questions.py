"""Questions to people: which pictures belong with this one, to teach a lens, or to test one blind."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from lookalike.collection.asking import Question
from lookalike.server.api.dependencies import Opened, QuestionId
from lookalike.server.schemas import PictureOut
from lookalike.server.teaching_schemas import AnsweredResponse, AnswerRequest, QuestionOut
from lookalike.server.workspace import OpenCollection

router = APIRouter(tags=["questions"])


@router.get("/c/{c}/questions")
def questions(
    opened: Opened,
    kind: Literal["teach", "blind"] = "teach",
    lens: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    n: Annotated[int, Query(ge=1, le=200)] = 10,
    more: bool = False,
) -> list[QuestionOut]:
    """The next questions. blind: those of the lens's test that are still open; none, once it is over.

    more: a second set of questions, where the first was too few to tell.
    """
    with opened.lock:
        return [_shown(opened, one) for one in opened.collection.questions(kind, lens, n, more=more)]


@router.post("/c/{c}/questions/{question}", status_code=201)
def answer_question(opened: Opened, question: QuestionId, request: AnswerRequest) -> AnsweredResponse:
    """Keep an answer. To teach, what is neither right nor wrong says nothing; in a blind test it is wrong.

    next: the question that takes the place of one that was skipped in a blind test.
    """
    right, wrong = ([opened.picture(id).file for id in ids] for ids in (request.right, request.wrong))
    with opened.lock:
        answered = opened.collection.answer(question, right, wrong, skip=request.skip)
        further: list[Question] = []
        if request.skip and question.startswith("blind-") and answered.left:
            lens = opened.collection.judgements.blind_answers(question.split("-")[1])[-1].lens
            further = opened.collection.questions("blind", lens, answered.left)[-1:]
    proof = answered.proof
    return AnsweredResponse(
        added=answered.added,
        left=answered.left,
        next=[_shown(opened, one) for one in further],
        proof=None if proof is None else proof.to_json(),
        words=None if proof is None else proof.words,
    )


def _shown(opened: OpenCollection, question: Question) -> QuestionOut:
    pictures = opened.pictures()
    rows = [pictures.gallery.row_of(file) for file in (question.query, *question.candidates)]
    query, *candidates = [PictureOut.of(pictures.at(row)) for row in rows if row is not None]
    return QuestionOut(
        question=question.id,
        kind=question.kind,
        query=query,
        candidates=candidates,
        number=question.number,
        of=question.of,
    )
