"""The small files of two machines and of the store become alike, and nobody's change is lost or undone."""

from pathlib import Path

import pytest
from support.object_storage import Server

from lookalike.distributed.mirror import Mirror
from lookalike.distributed.object_store import Location
from lookalike.errors import LockedError, StorageError


@pytest.fixture
def place(s3: Server) -> Location:
    return Location("s3", s3.bucket(), "kept")


@pytest.fixture
def machines(place: Location, tmp_path: Path) -> list[Mirror]:
    found = [Mirror(place, tmp_path / name) for name in ("one", "two")]
    for mirror in found:
        mirror.folder.mkdir()
    return found


def write(mirror: Mirror, **files: str) -> None:
    for name, content in files.items():
        path = mirror.folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def files(mirror: Mirror) -> dict[str, str]:
    return {
        path.relative_to(mirror.folder).as_posix(): path.read_text()
        for path in mirror.folder.rglob("*")
        if path.is_file() and path.name != "mirror.json"
    }


def test_what_one_pushes_another_pulls_and_what_is_of_a_machine_alone_stays_there(machines: list[Mirror], s3: Server):
    one, two = machines
    write(one, collection_json="{}", lenses__a__lens_json="a", lenses__a__run__state="r", lock="", cache__x="c")
    one.push()
    assert s3.names(one.location.bucket) == ["kept/collection.json", "kept/lenses/a/lens.json"]
    two.pull()
    assert files(two) == {"collection.json": "{}", "lenses/a/lens.json": "a"}


def test_changes_and_removals_go_both_ways(machines: list[Mirror], s3: Server):
    one, two = machines
    write(one, collection_json="1", lenses__a__lens_json="a", lenses__b__lens_json="b")
    one.push()
    two.pull()
    write(two, collection_json="22")
    (two.folder / "lenses/a/lens.json").unlink()
    two.push()
    one.pull()
    assert files(one) == files(two) == {"collection.json": "22", "lenses/b/lens.json": "b"}
    assert not (one.folder / "lenses/a").exists()


def test_a_mirror_that_lost_its_files_or_its_state_gets_them_again_and_removes_nothing(
    machines: list[Mirror], s3: Server
):
    one, _ = machines
    write(one, collection_json="1", lenses__a__lens_json="a", judgements_jsonl="x\n")
    one.push()
    names = s3.names(one.location.bucket)
    (one.folder / "lenses/a/lens.json").unlink()
    (one.folder / "collection.json").unlink()
    one.pull()
    (one.folder / "mirror.json").unlink()
    one.pull()
    one.push()
    assert s3.names(one.location.bucket) == names
    assert files(one) == {"collection.json": "1", "lenses/a/lens.json": "a", "judgements.jsonl": "x\n"}


def test_lines_of_two_machines_are_all_kept_each_once(machines: list[Mirror]):
    one, two = machines
    write(one, judgements_jsonl="1\n")
    one.push_lines()
    two.pull()
    write(one, judgements_jsonl="1\n2\n")
    write(two, judgements_jsonl="1\n3\n4\n")
    two.push_lines()
    one.push_lines()
    two.pull()
    assert files(one) == files(two) == {"judgements.jsonl": "1\n3\n4\n2\n"}


def test_lines_that_were_not_pushed_before_a_crash_are_pushed_by_the_next_pull(machines: list[Mirror]):
    one, two = machines
    write(one, judgements_jsonl="1\n", proofs_jsonl="p\n")
    one.push_lines()
    two.pull()
    write(one, judgements_jsonl="1\n2\n")  # and the process ends here
    write(two, judgements_jsonl="1\n3\n")
    two.push_lines()
    one.pull()
    two.pull()
    assert files(one) == files(two) == {"judgements.jsonl": "1\n3\n2\n", "proofs.jsonl": "p\n"}


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(machines: list[Mirror]):
    one, two = machines
    write(one, collection_json="1")
    one.push()
    two.pull()
    write(one, collection_json="one")
    one.push()
    write(two, collection_json="two")
    with pytest.raises(LockedError, match=r"collection\.json: somebody else wrote it meanwhile"):
        two.push()
    assert two.location.read("collection.json")[0] == b"one"


def test_a_name_that_leads_elsewhere_is_not_fetched(machines: list[Mirror], s3: Server, tmp_path: Path):
    one, _ = machines
    s3.client.put_object(Bucket=one.location.bucket, Key="kept/lenses/../../evil", Body=b"x")
    with pytest.raises(StorageError, match="which no file can have"):
        one.pull()
    assert not (tmp_path / "evil").exists() and files(one) == {}
