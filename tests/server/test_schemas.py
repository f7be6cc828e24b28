"""What requests may hold."""

import pytest
from pydantic import ValidationError

from lookalike.server.jobs import Job
from lookalike.server.schemas import Asked, JobOut, JobRequest, SearchRequest


@pytest.mark.parametrize(
    "given",
    [
        {"positive": []},
        {"positive": [{}] * 101},
        {"positive": [{"id": "0" * 65}]},
        {"positive": [{"id": "../x"}]},
        {"positive": [{"id": "0\0"}]},
        {"positive": [{}], "k": 0},
        {"positive": [{}], "where": "x" * 4001},
        {"positive": [{}], "min_similarity": 2},
        {"positive": [{}], "lens": ""},
    ],
)
def test_searches_out_of_bounds_are_refused(given: dict):
    with pytest.raises(ValidationError):
        SearchRequest(**given)


def test_a_region_is_four_shares():
    assert Asked(id="0f", region=[0, 0.5, 1, 0.5]).region == (0, 0.5, 1, 0.5)
    for region in ([0, 0, 1], [0, 0, 1, 2], [0, 0, 1, float("nan")], [-1, 0, 1, 1], "0011"):
        with pytest.raises(ValidationError):
            Asked(id="0f", region=region)


def test_a_job_is_shown_as_it_is():
    job = Job("1f", "index", said=["one"])
    shown = JobOut.of(job)
    assert (shown.id, shown.do, shown.state, shown.said, shown.result) == ("1f", "index", "running", ["one"], None)


def test_a_job_has_one_of_our_names():
    assert JobRequest(do="learn").source == "judgements"
    with pytest.raises(ValidationError):
        JobRequest(do="rm")
