"""HTTP/1.1 whose clients cannot hold a connection, or a place among the requests at work, by doing nothing."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0  # for the head of a request, from the answer before it on; also for what is left of a refused body
STALLED_S = 20.0  # in which a client takes nothing of what waits for it


class BoundedConnection(H11Protocol):
    """A connection that ends where its client is silent in the middle of a request, or takes no answer."""

    _head: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        super().connection_lost(exc)
        for timer in (self._head, self._stalled):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what comes; it gives no more time unless it completes a head."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """More waits for the client than is to be kept for it."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_S, self._end_if_stalled, self._unsent())

    def resume_writing(self) -> None:
        """It took enough."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def _watch(self) -> None:
        at_work = self.cycle is not None and not self.cycle.response_complete
        if at_work and self._head is not None:
            self._head.cancel()
            self._head = None
        elif not at_work and self._head is None:
            self._head = self.loop.call_later(HEAD_S, self._end_if_silent, self._unsent())

    def _unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def _end_if_silent(self, before: int) -> None:
        """End, unless the client is still taking the last answer."""
        now = self._unsent()
        if 0 < now < before:
            self._head = self.loop.call_later(HEAD_S, self._end_if_silent, now)
        else:
            self.transport.abort()

    def _end_if_stalled(self, before: int) -> None:
        now = self._unsent()
        if now >= before:
            self.transport.abort()
        else:
            self._stalled = self.loop.call_later(STALLED_S, self._end_if_stalled, now)
