"""What requests about judgements, groups and questions may hold."""

import pytest
from pydantic import ValidationError

from lookalike.server.teaching_schemas import AnswerRequest, DistinctRequest, GroupRequest, JudgementRequest


def test_ids_are_hashes_and_nothing_else_is_taken():
    ok = "0f" * 16
    assert JudgementRequest(query=ok, yes=[ok]).no == []
    for wrong in ("../x", "", "A" * 32, "0" * 65):
        with pytest.raises(ValidationError):
            JudgementRequest(query=wrong)
    with pytest.raises(ValidationError):
        JudgementRequest(query=ok, path="/etc/passwd")


def test_lists_and_names_are_bounded():
    ok = "0f" * 16
    for kind, given in (
        (JudgementRequest, {"query": ok, "yes": [ok] * 1001}),
        (GroupRequest, {"name": "x" * 201}),
        (AnswerRequest, {"right": [ok] * 101}),
        (DistinctRequest, {"distinct": [ok]}),
        (DistinctRequest, {"distinct": [ok] * 3}),
    ):
        with pytest.raises(ValidationError):
            kind(**given)
