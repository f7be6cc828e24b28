"""OpenVINO, imported where it is used: it takes 0.3 s."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def openvino() -> Any:
    """OpenVINO, which sends usage reports when it is imported beside its telemetry package: here it never does."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" not in sys.modules:
        with _interrupts_afterwards():  # its initialization makes an ImportError of Ctrl-C
            import_module("openvino")
    return sys.modules["openvino"]


@contextmanager
def _interrupts_afterwards() -> Iterator[None]:
    """Ctrl-C that comes inside takes effect at the end; other threads than the main one never get it."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    arrived: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if arrived:
        handler(arrived[0], None)
