"""What requests and answers about judgements, groups, questions and lenses hold."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lookalike.server.schemas import Id, PictureOut, Request


class LensOut(BaseModel):
    """A lens, whether it is in service, and what its proof says. source: what it was learned from, where known."""

    model_config = ConfigDict(extra="allow")
    name: str
    source: Literal["judgements", "views", "folders", "csv", "python", "several"] | None


class UseRequest(Request):
    """anyway: even where the lens is not proved to be better than plain."""

    anyway: bool = False


class ExamplesResponse(BaseModel):
    """What would be learned and held out, in lines."""

    lines: list[str]


class JudgementRequest(Request):
    """Pictures that belong with the query, and pictures that don't."""

    query: Id
    yes: list[Id] = Field(default=[], max_length=1000)
    no: list[Id] = Field(default=[], max_length=1000)


class NamedPicture(BaseModel):
    """A picture by its file; id is None where it is gone."""

    file: str
    id: str | None


class JudgementOut(BaseModel):
    """What was said. pair: yes belongs with query; apart: no does not; triplet: yes is more like it than no is."""

    kind: Literal["pair", "triplet", "apart", "distinct"]
    line: int
    t: str
    who: str | None
    said: str
    query: NamedPicture
    yes: NamedPicture | None = None
    no: NamedPicture | None = None


class DistinctRequest(Request):
    """Two pictures that are no duplicates."""

    distinct: tuple[Id, Id]


class GroupRequest(Request):
    """A new group."""

    name: str | None = Field(None, max_length=200)
    add: list[Id] = Field(default=[], max_length=1000)


class GroupChangeRequest(GroupRequest):
    """What changes in a group."""

    remove: list[Id] = Field(default=[], max_length=1000)


class GroupOut(BaseModel):
    """A group with its pictures, in the order in which they came."""

    id: str
    name: str
    pictures: list[PictureOut]


class QuestionOut(BaseModel):
    """Which of the candidates belong with the query? number: from 1, of so many."""

    question: str
    kind: Literal["teach", "blind"]
    query: PictureOut
    candidates: list[PictureOut]
    number: int
    of: int


class AnswerRequest(Request):
    """Which candidates belong with the query, and which don't; or skip."""

    right: list[Id] = Field(default=[], max_length=100)
    wrong: list[Id] = Field(default=[], max_length=100)
    skip: bool = False


class AnsweredResponse(BaseModel):
    """left: questions of the blind test that are still open; proof and words: after the last one."""

    added: int
    left: int
    next: list[QuestionOut]
    proof: dict[str, Any] | None
    words: str | None


class LinesResponse(BaseModel):
    """How many judgements were added, or taken back."""

    lines: int
