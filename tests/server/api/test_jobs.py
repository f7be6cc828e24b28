"""Jobs over HTTP: one at a time, watched, stopped, gone on with."""

import os
import platform
from pathlib import Path

from support.client import Client

from lookalike import Collection


def test_a_job_that_runs_is_named_by_the_next_and_stops(badges: Client, tmp_path: Path):
    api = badges
    job = api.json(f"{api.c}/jobs", {"do": "index"}, status=202)
    second = api.post(f"{api.c}/jobs", json={"do": "index"})
    if second.status_code != 202:  # the first may have ended already
        assert (second.status_code, second.json()["error"]["details"]) == (409, {"job": job["id"]})
    api.json(f"{api.c}/jobs/{job['id']}", method="DELETE", status=202)
    end = api.events(job)[-1][1]
    assert end["state"] in ("stopped", "done")
    again = api.run(do="index")
    assert again["state"] == "done"
    assert api.json(f"{api.c}/status")["pictures"] == len(list((tmp_path / "photos").rglob("*.png")))


def test_who_holds_the_lock_is_told_by_a_job_and_by_a_route(badges: Client, tmp_path: Path):
    api = badges
    api.run(do="index")
    with Collection(tmp_path / "photos").home.write_lock("index"):
        told = [
            api.run(do="index")["error"],
            api.json(f"{api.c}/lenses/plain/use", {}, status=409)["error"],
            api.json(f"{api.c}/lenses/kinds", method="DELETE", status=409)["error"],
        ]
    for error in told:
        assert error["code"] == "collection.locked"
        holder = error["details"]
        assert (holder["process"], holder["host"], holder["work"]) == (os.getpid(), platform.node(), "index")
        assert f"process {os.getpid()} (index, since " in error["message"]
    assert api.run(do="index")["state"] == "done"
