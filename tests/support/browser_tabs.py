"""Tabs as a browser shows them to people: one in front, the others hidden. Playwright's own pages are all in front."""

import json
import time
from typing import Any

from playwright.sync_api import Browser


class Tabs:
    """Tabs of one window, each of which can be asked for a value.

    Args:
        browser: whose own window they are opened in.
    """

    def __init__(self, browser: Browser):
        self._browser, self._answers = browser.new_browser_cdp_session(), {}
        self._browser.on("Target.receivedMessageFromTarget", self._take)
        self._sent, self._sessions, self._targets = 0, [], []

    def open(self, url: str) -> int:
        """Open a tab before the others; returns its place, from 0."""
        target = self._browser.send("Target.createTarget", {"url": url})["targetId"]
        self._targets.append(target)
        self._sessions.append(self._browser.send("Target.attachToTarget", {"targetId": target})["sessionId"])
        return len(self._targets) - 1

    def show(self, tab: int) -> None:
        """Bring a tab to the front."""
        self._browser.send("Target.activateTarget", {"targetId": self._targets[tab]})

    def value(self, tab: int, script: str) -> Any:
        """What an expression gives in a tab; a promise is waited for."""
        self._sent += 1
        params = {"expression": script, "awaitPromise": True, "returnByValue": True}
        message = json.dumps({"id": self._sent, "method": "Runtime.evaluate", "params": params})
        self._browser.send("Target.sendMessageToTarget", {"sessionId": self._sessions[tab], "message": message})
        return self._answer(self._sent)["result"]["result"].get("value")

    def wait_for(self, tab: int, script: str, timeout_s: float = 30) -> None:
        """Ask a tab until an expression holds. Raises: TimeoutError."""
        end = time.monotonic() + timeout_s
        while not self.value(tab, script):
            if time.monotonic() > end:
                raise TimeoutError(f"tab {tab}: {script} does not become true")

    def close(self) -> None:
        """Close them all."""
        for target in self._targets:
            self._browser.send("Target.closeTarget", {"targetId": target})
        self._browser.detach()

    def _take(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if "id" in message:
            self._answers[message["id"]] = message

    def _answer(self, number: int, timeout_s: float = 30) -> dict[str, Any]:
        end = time.monotonic() + timeout_s
        while number not in self._answers:
            self._browser.send("Target.getTargets")  # lets events come in
            if time.monotonic() > end:
                raise TimeoutError("a tab does not answer")
        return self._answers.pop(number)
