"""The tries of the vendor's storage client: six in all, with a wait before each but the first."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

TRIES = 6
TRY_S = 100.0
_FIRST_WAIT_S = 0.8
_JITTER = (0.8, 1.2)
_TRIED_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered to one request."""

    status: int
    headers: Mapping[str, str]
    text: str


async def tried(
    ask: Callable[[], Awaitable[Answer]], uniform: Callable[[float, float], float] = random.uniform
) -> Answer:
    """Ask until there is an answer that counts; the last one's answer or error is final.

    `ask` raises OSError where the connection breaks; TimeoutError tells that no answer came.
    """
    for wait_s in (_FIRST_WAIT_S * 2**number for number in range(TRIES - 1)):
        try:
            answer = await _ask_once(ask)
        except OSError:
            # A broken connection may have done the work: as in the real client, it is done twice.
            pass
        else:
            if answer.status not in _TRIED_AGAIN:
                return answer
        await asyncio.sleep(uniform(*_JITTER) * wait_s)
    return await _ask_once(ask)


async def _ask_once(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    async with asyncio.timeout(TRY_S):
        return await ask()
