"""Jobs over HTTP: one at a time, watched, stopped, gone on with."""

from pathlib import Path

from support.client import Client


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
