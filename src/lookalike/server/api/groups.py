"""Groups of pictures that belong together."""

from fastapi import APIRouter

from lookalike.server.api.dependencies import GroupId, Opened
from lookalike.server.errors import Refusal
from lookalike.server.schemas import PictureOut
from lookalike.server.teaching_schemas import GroupChangeRequest, GroupOut, GroupRequest
from lookalike.server.workspace import OpenCollection

router = APIRouter(tags=["groups"])


@router.get("/c/{c}/groups")
def groups(opened: Opened) -> list[GroupOut]:
    """All groups, in the order in which they were made, with their pictures."""
    pictures, found = opened.pictures(), []
    for group in opened.collection.judgements.groups():
        shown = [PictureOut.of(one) for one in pictures.named(list(group.files)) if one is not None]
        found.append(GroupOut(id=group.id, name=group.name, pictures=shown))
    return found


@router.post("/c/{c}/groups", status_code=201)
def make_group(opened: Opened, request: GroupRequest) -> GroupOut:
    """Make a group, with pictures or without."""
    opened.pictures()  # where the disk is absent, nothing is written in its place
    files = [opened.picture(id).file for id in request.add]
    return _group(opened, opened.collection.judgements.set_group(add=files, name=request.name))


@router.patch("/c/{c}/groups/{g}")
def change_group(opened: Opened, g: GroupId, request: GroupChangeRequest) -> GroupOut:
    """Put pictures in, take them out, call it otherwise. A picture is in one group at most."""
    _group(opened, g)
    add, remove = ([opened.picture(id).file for id in ids] for ids in (request.add, request.remove))
    opened.collection.judgements.set_group(g, add=add, remove=remove, name=request.name)
    return _group(opened, g)


@router.delete("/c/{c}/groups/{g}")
def give_up_group(opened: Opened, g: GroupId) -> dict[str, str]:
    """Give a group up; its pictures stay."""
    _group(opened, g)
    opened.collection.judgements.set_group(g, gone=True)
    return {"id": g}


def _group(opened: OpenCollection, id: str) -> GroupOut:
    """One group. Raises: Refusal."""
    found = next((one for one in groups(opened) if one.id == id), None)
    if found is None:
        raise Refusal(404, "group.unknown", "no such group.")
    return found
