"""What the system says of a folder: which files below it changed, as far as it knows."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from lookalike.errors import MissingExtraError
from lookalike.images.leave_out import IGNORE_FILE
from lookalike.images.scan import NOT_OURS, folder_identity

if TYPE_CHECKING:
    from watchfiles.main import FileChange

TICK_MS, STEP_MS = 250, 50  # how long one wait takes at most; how often the system's list is looked at


class Alarm:
    """Waits for changes below a folder, and begins anew where the folder was replaced, as a mount replaces it.

    What nobody tells the system is not heard of: changes by other machines on a network drive.

    Args:
        folder: that is watched.
        at: a folder whose changes are left out: that of the collection.
        stop: ends a wait when it is set.
    Raises: MissingExtraError, without watchfiles.

    Attributes:
        reason: why the system says nothing, in a few words; "" where it does.
    """

    def __init__(self, folder: Path, at: Path, stop: Event):
        try:
            import watchfiles  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("watch", "watch") from error
        self.folder, self._at, self._stop = folder, at, stop
        self.reason = ""
        self._root = folder.resolve()
        self._known = folder_identity(folder)
        self._events: Iterator[set[FileChange]] | None = None
        self._begin()

    def wait(self) -> dict[str, Path] | None:
        """Wait a quarter of a second at most: name -> path of what changed meanwhile; None where anything may have."""
        if folder_identity(self.folder) != self._known:
            self._begin()
            return None
        if self._events is None:
            self._stop.wait(TICK_MS / 1000)
            return {}
        try:
            found = next(self._events, set())
        except (OSError, RuntimeError) as error:
            self._end(str(error))
            return {}
        return {name: path for _, text in found if (name := self._name(path := Path(text))) is not None}

    def close(self) -> None:
        """Let the system stop watching."""
        self._end("")

    def _begin(self) -> None:
        self._end("")
        self._known, self._root = folder_identity(self.folder), self.folder.resolve()
        if self._known is None:
            return
        from watchfiles import watch

        self._events = watch(
            self._root, watch_filter=None, debounce=TICK_MS, step=STEP_MS, rust_timeout=TICK_MS, yield_on_timeout=True,
            stop_event=self._stop, ignore_permission_denied=True,
        )  # fmt: skip
        try:
            next(self._events)
        except (OSError, RuntimeError, StopIteration) as error:
            self._end(str(error))

    def _end(self, reason: str) -> None:
        if self._events is not None:
            with suppress(Exception):
                self._events.close()  # type: ignore[attr-defined]
        self._events, self.reason = None, reason

    def _name(self, path: Path) -> str | None:
        """The name within the folder; None for what a scan would leave out by its name."""
        try:
            parts = path.relative_to(self._root).parts
        except ValueError:
            return None
        if not parts or path.is_relative_to(self._at):
            return None
        if any(part[0] == "." or part.casefold() in NOT_OURS for part in parts) and parts[-1] != IGNORE_FILE:
            return None
        return "/".join(parts)
