"""What requests and answers hold: the source of openapi.json."""

from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lookalike.index.hits import Hit
from lookalike.index.pictures import Picture
from lookalike.server.jobs import Job

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$", description="hex digits")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Where = Annotated[str, Field(max_length=4000, description="an SQL condition on file, width, height, bytes, mtime")]
Share = Annotated[float, Field(ge=0, le=1.001, allow_inf_nan=False)]
Order = Literal["file", "mtime", "random"]


class Side(IntEnum):
    """The longer sides of thumbnails, in pixels."""

    SMALL, MEDIUM, LARGE = 160, 320, 640


class Request(BaseModel):
    """What a request holds: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid", str_max_length=10_000)


class Asked(Request):
    """What to ask with: a picture of the collection, one that was sent, the whole or a part of it; or words."""

    id: Id | None = None
    query: Id | None = None
    text: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None, description="what the pictures should show, where the collection knows words"
    )
    weight: float = Field(1, gt=0, le=1000, allow_inf_nan=False, description="how much it counts beside the others")
    region: tuple[Share, Share, Share, Share] | None = Field(
        None, description="left, top, width, height in shares of the upright picture"
    )


class SearchRequest(Request):
    """What to search for."""

    positive: list[Asked] = Field(min_length=1, max_length=100)
    negative: list[Asked] = Field(default=[], max_length=100)
    k: int = Field(50, ge=1, le=1000)
    lens: Name | None = None
    where: Where | None = None
    others: bool = False
    min_similarity: Annotated[float, Field(ge=-1, le=1)] | Literal["learned"] | None = None
    likely: Annotated[float, Field(ge=0, le=1)] | None = Field(None, description="the least likelihood of a hit")
    reverse: bool = Field(False, description="the least similar first")
    unique: bool = Field(False, description="of copies and nearly equal pictures only the first")


class PictureOut(BaseModel):
    """A picture of the collection; id: the hash of its content."""

    id: str
    file: str
    width: int
    height: int

    @classmethod
    def of(cls, picture: Picture) -> "PictureOut":
        """From the library's own."""
        return cls(id=picture.id, file=picture.file, width=picture.width, height=picture.height)


class HitOut(PictureOut):
    """A picture with its similarity, -1 to 1, to the nearest of the positive pictures.

    likely: how likely it is right, 0 to 1; null where nobody knows.
    """

    similarity: float
    likely: float | None

    @classmethod
    def of_hit(cls, hit: Hit, picture: Picture) -> "HitOut":
        """From the library's own."""
        return cls(**PictureOut.of(picture).model_dump(), similarity=round(hit.similarity, 6), likely=hit.likely)


class SearchResponse(BaseModel):
    """Hits, the best first; cut: the similarity below which hits are usually wrong, where one was learned and one
    picture was asked with, the most similar first: hits of several are not in the order of their similarities.

    note: what else to know, a line: that words were cut, or search past the lens in service. hidden: how many copies
    and nearly equal pictures were passed over, where that was asked for.
    """

    version: int
    lens: str
    cut: float | None
    took_ms: float
    note: str = ""
    hidden: int = 0
    hits: list[HitOut]


class PagesResponse(BaseModel):
    """Some of the pictures, in order; version: of the table."""

    version: int
    total: int
    offset: int
    pictures: list[PictureOut]


class PictureResponse(PictureOut):
    """All that is known of a picture."""

    files: list[str]
    bytes: int
    mtime: str
    groups: list[str] = []
    judgements: list[dict[str, Any]] = []


class QueryResponse(BaseModel):
    """A picture that was sent; known: the id of the same picture in the collection."""

    query: str
    width: int
    height: int
    known: str | None


class CollectionOut(BaseModel):
    """A collection that is open."""

    id: str
    name: str
    pictures: int
    online: bool


class RecentOut(BaseModel):
    """A folder that was opened before."""

    id: str
    name: str
    folder: str


class SessionResponse(BaseModel):
    """What the page needs to begin with; image_key: what the addresses of pictures carry as key."""

    version: str
    read_only: bool
    image_key: str
    collections: list[CollectionOut]
    recent: list[RecentOut]


class LoginRequest(Request):
    """The password of a server that listens to the network."""

    password: str = Field(max_length=1000)


class LoginResponse(BaseModel):
    """The token for it."""

    token: str


class OpenRequest(Request):
    """Which folder to open: one that was opened before, or one chosen in the system's own window on the server."""

    recent: Id | None = None
    choose: bool = False


class OpenResponse(BaseModel):
    """The id of the collection; None where nothing was chosen."""

    id: str | None


class RefusedOut(BaseModel):
    """A file that could not be read."""

    file: str
    reason: str


class Failure(BaseModel):
    """What is wrong: a code for programs, one line for people."""

    code: str
    message: str
    details: dict[str, Any]


class JobOut(BaseModel):
    """A piece of work: see `lookalike.server.jobs.Job`."""

    id: str
    do: str
    state: Literal["running", "stopping", "done", "stopped", "failed"]
    stage: dict[str, Any] | None
    curve: list[list[float | None]]
    said: list[str]
    started: str
    ended: str | None
    result: Any
    error: Failure | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        """From the runner's own."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})


class StatusResponse(BaseModel):
    """What the collection holds, in numbers; words: whether it can be asked in words; lines: of judgements, one more
    with every answer and every undo.
    """

    name: str
    folder: str
    online: bool
    job: JobOut | None
    indexed: bool = False
    pictures: int = 0
    contents: int = 0
    backbone: str | None = None
    words: bool = False
    lens: str = "plain"
    bytes: int = 0
    refused: list[RefusedOut] = []
    other_files: int = 0
    judgements: int = 0
    lines: int = 0


class DuplicatesOut(BaseModel):
    """Pictures that are equal or nearly so; keep: the id of the one to keep; least: the least similarity among them."""

    equal: bool
    least: float
    keep: str
    pictures: list[PictureOut]


class JobRequest(Request):
    """What to do. learn: source, name, replace, quick, loss, epochs, unfreeze, seed; use: name; export: what, lens."""

    do: Literal["index", "learn", "use", "map", "export"]
    source: Literal["judgements", "folders", "views"] = "judgements"
    name: Name | None = None
    replace: bool = False
    quick: bool = False
    loss: Name | None = None
    epochs: int | None = Field(None, ge=1, le=10_000)
    unfreeze: Name | None = None
    seed: int = Field(0, ge=0, le=2**31)
    anyway: bool = False
    what: Literal["parquet", "csv", "npy", "onnx", "judgements"] = "parquet"
    lens: Name | None = None


class FailureResponse(BaseModel):
    """Every answer that is an error."""

    error: Failure
