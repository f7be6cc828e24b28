"""Work whose time a client's own words decide: it is given up after two seconds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lookalike.server.errors import Refusal

Result = TypeVar("Result")
LIMIT_S = 2.0
_POOL = ThreadPoolExecutor(8, "timed")


async def timed(work: Callable[[], Result], limit_s: float | None = None) -> Result:
    """What work gives, in a thread, within LIMIT_S or another limit.

    Raises: Refusal, when it takes longer; the thread ends by itself later.
    """
    limit_s = LIMIT_S if limit_s is None else limit_s
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(_POOL, work), limit_s)
    except TimeoutError:
        raise Refusal(422, "query.slow", f"not answered within {limit_s:g} s. Ask for less.") from None
