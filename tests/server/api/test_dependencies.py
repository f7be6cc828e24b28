"""The collection that an address names, for every route alike."""

from support.client import Client


def test_what_names_no_open_collection_is_unknown_on_every_kind_of_route(api: Client):
    for path in ("status", "jobs", "pictures", "judgements", "map"):
        assert api.json(f"/api/c/{'0' * 16}/{path}", status=404)["error"]["code"] == "collection.unknown"
        assert api.json(f"/api/c/NO-HEX/{path}", status=400)["error"]["code"] == "request"
        assert api.get(f"{api.c}/{path}").status_code in (200, 202)
