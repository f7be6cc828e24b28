"""From a new folder to a lens that serves, over HTTP: index, learn, use, export, forget."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from support.client import Client

from lookalike import Collection


def test_from_a_new_folder_to_a_lens_in_service(badges: Client, tmp_path: Path):
    api = badges
    status = api.json(f"{api.c}/status")
    assert (status["indexed"], status["pictures"], status["lens"]) == (False, 0, "plain")
    assert api.json(f"{api.c}/pictures", status=422)["error"]["code"] == "collection.empty"
    done = api.run(do="index")
    assert done["state"] == "done"
    total = done["result"]["added"]
    assert (api.json(f"{api.c}/status")["pictures"], total) == (total, len(list((tmp_path / "photos").rglob("*.png"))))
    assert api.json("/api/session")["collections"][0]["pictures"] == total

    lines = api.json(f"{api.c}/examples?source=folders")["lines"]
    assert any("held out" in line or "hold" in line for line in lines)
    learned = api.run(do="learn", source="folders", name="kinds", quick=True)
    assert (learned["state"], learned["error"]) == ("done", None)
    assert learned["result"]["name"] == "kinds"
    taken = api.run(do="learn", source="folders", name="kinds", quick=True)
    assert (taken["state"], taken["error"]["code"]) == ("failed", "lens.taken")

    lens = api.json(f"{api.c}/lenses/kinds")
    assert lens["source"] == "folders"
    assert [one["source"] for one in api.json(f"{api.c}/lenses")] == ["folders"]
    kept = json.loads((tmp_path / "photos" / ".lookalike" / "lenses" / "kinds" / "proof.json").read_text())
    assert lens["proof"] == kept or lens["proof"]["verdict"] == kept["verdict"]
    assert lens["words"] == learned["result"]["words"]
    answer = api.json(f"{api.c}/lenses/kinds/use", {"anyway": True})
    assert answer == {"name": "kinds"}
    assert api.json(f"{api.c}/status")["lens"] == "kinds"
    id = api.json(f"{api.c}/pictures?limit=1")["pictures"][0]["id"]
    found = api.json(f"{api.c}/search", {"positive": [{"id": id}]})
    assert (found["lens"], found["cut"]) == ("kinds", kept["threshold"]["similarity"])
    assert api.json(f"{api.c}/search", {"positive": [{"id": id}], "reverse": True})["cut"] is None
    assert api.json(f"{api.c}/search", {"positive": [{"id": id}], "lens": "plain"})["lens"] == "plain"

    export = api.run(do="export", what="parquet", lens="kinds")
    assert set(export["result"]) == {"file", "bytes"}
    answer = api.get(f"{api.c}/jobs/{export['id']}/result")
    (tmp_path / "out.parquet").write_bytes(answer.content)
    table = pq.read_table(tmp_path / "out.parquet")
    expected = Collection(tmp_path / "photos").to_pandas("kinds")
    assert table.column("file").to_pylist() == expected.file.tolist()
    np.testing.assert_allclose(np.stack(table.to_pandas().iloc[:, 1]), np.stack(expected.features), atol=1e-6)
    assert api.get(f"{api.c}/jobs/{learned['id']}/result").status_code == 404

    assert api.json(f"{api.c}/lenses/kinds", method="DELETE") == {"name": "kinds"}
    assert api.json(f"{api.c}/lenses") == []
    assert api.json(f"{api.c}/lenses/kinds", status=404)["error"]["code"] == "lens.unknown"
    assert [job["do"] for job in api.json(f"{api.c}/jobs")] == ["export", "learn", "learn", "index"]
