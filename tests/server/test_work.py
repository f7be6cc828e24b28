"""What jobs do, without HTTP."""

import json
import tempfile
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.errors import ExamplesError, LensError
from lookalike.progress import SILENT
from lookalike.server.errors import Refusal
from lookalike.server.schemas import JobRequest
from lookalike.server.work import examples_source, use_work, work_for
from lookalike.server.workspace import OpenCollection


@pytest.fixture
def opened(tmp_path: Path) -> OpenCollection:
    for number in range(4):
        draw(tmp_path / "photos" / f"{number}.png", number)
    opened = OpenCollection(tmp_path / "photos")
    opened.another().index()
    return opened


def test_indexing_gives_what_it_did_in_numbers(opened: OpenCollection):
    draw(opened.folder / "new.png", 9)
    (opened.folder / "0.png").unlink()
    result = work_for(opened, JobRequest(do="index"))(SILENT)
    assert (result["added"], result["gone"], result["unchanged"], result["refused"]) == (1, 1, 3, 0)


def test_judgements_are_exported_as_they_stand_in_their_file(opened: OpenCollection):
    opened.collection.judge("1.png", ["2.png"])
    result = work_for(opened, JobRequest(do="export", what="judgements"))(SILENT)
    assert result["file"] == "photos.jsonl"
    assert json.loads(Path(result["path"]).read_text())["yes"] == "2.png"


def test_a_request_that_names_nothing_is_refused_before_it_begins(opened: OpenCollection):
    with pytest.raises(Refusal, match="name the lens"):
        work_for(opened, JobRequest(do="use"))


def test_examples_are_judgements_class_folders_or_views(opened: OpenCollection):
    assert examples_source(opened, "folders") == (opened.folder, "classes")
    assert examples_source(opened, "views") == (None, "views")
    with pytest.raises(ExamplesError):
        examples_source(opened, "judgements")
    opened.collection.judge("1.png", ["2.png"])
    dataset, layout = examples_source(opened, "judgements")
    assert ([path.name for path in dataset.paths], layout) == (["1.png", "2.png"], None)


def test_plain_can_always_be_gone_back_to(opened: OpenCollection):
    assert use_work(opened.another(), "plain", anyway=False) == {"name": "plain"}


def test_an_export_that_fails_leaves_no_folder(opened: OpenCollection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(LensError):
        work_for(opened, JobRequest(do="export", lens="stripes"))(SILENT)
    assert not list((tmp_path / "temporary").iterdir())
