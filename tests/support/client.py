"""Asks a running server as a program would."""

import json
from typing import Any

import httpx

from lookalike.server.run import Server


class Client(httpx.Client):
    """A client of one server; `c` is the address of its first collection."""

    def __init__(self, server: Server, token: str | None = None):
        self.server = server
        super().__init__(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"authorization": f"Bearer {token or server.access.token}"},
            timeout=60,
        )
        opened = server.workspace.all()
        self.c = f"/api/c/{opened[0].id}" if opened else ""

    def json(self, path: str, body: Any = None, *, method: str | None = None, status: int = 200) -> Any:
        """The JSON of an answer, which must have this status."""
        answer = self.request(method or ("GET" if body is None else "POST"), path, json=body)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def id_of(self, file: str) -> str:
        """The id of a picture."""
        pages = self.json(f"{self.c}/pictures?limit=500")["pictures"]
        return next(one["id"] for one in pages if one["file"] == file)

    def events(self, job: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """All events of a job, up to its end."""
        found, name = [], ""
        with self.stream("GET", f"{self.c}/jobs/{job['id']}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
        return found

    def run(self, **request: Any) -> dict[str, Any]:
        """The end of a job."""
        told = self.events(self.json(f"{self.c}/jobs", request, status=202))
        assert (told[0][0], told[-1][0]) == ("job", "end")
        return told[-1][1]
