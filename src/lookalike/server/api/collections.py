"""Which collections are open, and what each holds."""

from fastapi import APIRouter, Response

from lookalike import __version__
from lookalike.server.api.dependencies import AccessOf, Collections, Named
from lookalike.server.errors import Refusal
from lookalike.server.schemas import (
    CollectionOut,
    JobOut,
    LoginRequest,
    LoginResponse,
    OpenRequest,
    OpenResponse,
    RecentOut,
    RefusedOut,
    SessionResponse,
    StatusResponse,
)
from lookalike.server.workspace import choose_folder, name_of

router = APIRouter(tags=["collections"])
MOST_REFUSED = 1000


@router.get("/session")
def session(workspace: Collections, access: AccessOf) -> SessionResponse:
    """What the page begins with."""
    opened = workspace.all()
    there = {one.id for one in opened}
    recent = [
        RecentOut(id=id, name=name_of(folder), folder=str(folder))
        for id, (folder, _) in workspace.recent().items()
        if id not in there and not access.read_only
    ]
    return SessionResponse(
        version=__version__,
        read_only=access.read_only,
        image_key=access.image_key,
        collections=[
            CollectionOut(id=one.id, name=one.name, pictures=one.count(), online=one.is_online) for one in opened
        ],
        recent=recent,
    )


@router.post("/session")
def login(request: LoginRequest, access: AccessOf) -> LoginResponse:
    """The token, for the password of a server that listens to the network."""
    return LoginResponse(token=access.login(request.password))


@router.post("/collections", status_code=201)
def open_collection(request: OpenRequest, workspace: Collections, access: AccessOf, response: Response) -> OpenResponse:
    """Open a folder that was opened before, or one that a person chooses in the system's own window."""
    if request.recent is not None:
        found = workspace.recent().get(request.recent)
        if found is None:
            raise Refusal(404, "collection.unknown", "no such folder was opened before, or it is not there.")
        return OpenResponse(id=workspace.add(*found).id)
    if not request.choose or access.password is not None:  # its window would open on the server's screen
        raise Refusal(400, "request", "name a folder that was opened before, or choose one.")
    chosen = choose_folder()
    if chosen is None:
        response.status_code = 200
        return OpenResponse(id=None)
    return OpenResponse(id=workspace.add(chosen).id)


@router.get("/c/{c}/status")
def status(opened: Named) -> StatusResponse:
    """What the collection holds, in numbers."""
    running = opened.jobs.running()
    answer = StatusResponse(
        name=opened.name,
        folder=opened.collection.home.name,
        online=opened.is_online,
        job=None if running is None else JobOut.of(running),
    )
    if opened.table_store.is_needed and not answer.online:
        return answer
    with opened.lock:
        config = opened.collection.home.config()
        if config is None:
            return answer
        found = opened.collection.status()
        answer.words = opened.collection.backbone.has_words
        answer.judgements = len(opened.collection.judgements.standing())
        answer.lines = opened.collection.judgements.lines()
    refused = [RefusedOut(file=file, reason=reason) for file, reason in found.pop("refused").items()]
    known = {name: found[name] for name in ("pictures", "contents", "backbone", "bytes", "other_files")}
    return answer.model_copy(
        update={"indexed": True, "lens": config.lens or "plain", "refused": refused[:MOST_REFUSED], **known}
    )
