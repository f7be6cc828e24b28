"""The page's files, and what programs find out about the API."""

from support.client import Client

from lookalike import __version__


def test_the_page_and_its_files_are_served_with_their_types(api: Client):
    page = api.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    script = api.get("/static/app.js")
    assert (script.status_code, script.headers["cache-control"]) == (200, "no-cache")
    assert api.get("/static/app.js", headers={"if-none-match": script.headers["etag"]}).status_code == 304
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/", "/app.py", "/docs"):
        assert api.get(path).status_code == 404, path


def test_the_api_is_described(api: Client):
    found = api.json("/api/openapi.json")
    assert (found["openapi"][:2], found["info"]["version"]) == ("3.", __version__)
    for path, methods in found["paths"].items():
        assert path.startswith("/api/")
        for method, about in methods.items():
            assert about.get("description"), (method, path)
            parameters = {one["name"] for one in about.get("parameters", [])}
            assert not parameters & {"path", "folder", "file"}, path


def test_a_probe_is_answered_without_a_token(api: Client):
    assert api.get("/healthz", headers={"authorization": ""}).json() == {"status": "ok"}
