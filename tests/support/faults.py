"""Where a function is called, Ctrl-C in this process, or a signal for the command in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import pytest

RUN = """
import os, signal, sys
from importlib import import_module
from lookalike.cli.main import main

module, name, sent, *words = sys.argv[1:]
if module.startswith("lookalike"):
    import lookalike.collection.learn  # every module that may have taken the function by its name
owner = import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
real = getattr(owner, last)

def broken(*args, **more):
    os.kill(os.getpid(), getattr(signal, sent))
    return real(*args, **more)

for other in [owner, *sys.modules.values()]:
    if getattr(other, last, None) is real:
        setattr(other, last, broken)
main(words)
"""


def run_broken(function: Callable[..., Any], sent: str, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run `lookalike WORDS`, which gets a signal ("SIGKILL", "SIGINT") whenever it calls this function or method."""
    command = [sys.executable, "-c", RUN, function.__module__, function.__qualname__, sent, *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})


@contextmanager
def ctrl_c_at(function: Callable[..., Any]) -> Iterator[None]:
    """Whoever calls this function or method gets a KeyboardInterrupt, whatever module took it by its name."""

    def interrupted(*args: object, **more: object) -> NoReturn:
        raise KeyboardInterrupt

    owner: Any = import_module(function.__module__)
    *path, last = function.__qualname__.split(".")
    for part in path:
        owner = getattr(owner, part)
    with pytest.MonkeyPatch.context() as patch:
        for holder in [owner, *sys.modules.values()]:
            if getattr(holder, "__dict__", {}).get(last) is function:
                patch.setattr(holder, last, interrupted)
        yield
