"""Recordings of the vendor's host: read, and held against what the local host does.

A recording is played by the test of its part. What the local host does otherwise stands in
`differences.json` beside the recordings, each case with its reason; that list stays exact.
"""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_REPEATED = re.compile(r"<(?P<text>[^<>*]+)\*(?P<times>\d+)>")
_SHIPPED = Path(__file__).parents[2] / "localcloud" / "recorded"


@dataclass(frozen=True, slots=True)
class Difference:
    """One case that the local host answers otherwise: never more kindly than Azure."""

    kind: Literal["stricter", "missing"]
    why: str


def folder() -> Path:
    """Where the recordings are read: the folder that RECORDED names, else the shipped one."""
    return Path(os.environ.get("RECORDED") or _SHIPPED)


@cache
def recording(name: str) -> dict[str, Any]:
    """One recording (`routes`, `event-grid`, `timers`, `queue-listener`) as it was written."""
    parsed: dict[str, Any] = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


@cache
def differences() -> dict[str, Difference]:
    """Case id to its difference. Without the file, nothing may differ."""
    file = folder() / "differences.json"
    if not file.exists():
        return {}
    listed = json.loads(file.read_text(encoding="utf-8"))
    return {case: Difference(**told) for case, told in listed.items()}


def case_ids(name: str) -> list[str]:
    """Every case of a recording, in its order.

    Schedules have no id of their own: theirs is `cron/EXPRESSION` or `in_berlin/EXPRESSION`.
    """
    read = recording(name)
    told = [case["id"] for group in ("cases", "starts") for case in read.get(group, [])]
    schedules = [
        f"{group}/{schedule['expression']}"
        for group in ("cron", "in_berlin")
        for schedule in read.get(group, [])
    ]
    return told + schedules


def unfolded(value: Any) -> Any:
    """Write out `<x*n>` wherever it stands."""
    if isinstance(value, str):
        return _REPEATED.sub(lambda match: match["text"] * int(match["times"]), value)
    if isinstance(value, dict):
        return {key: unfolded(one) for key, one in value.items()}
    return value


def judge(case: str, *, recorded: object, here: object, kinder: bool) -> None:
    """Fail unless a case is answered as recorded, or differs as its entry in the list says.

    `kinder` says whether what is done here, where it differs, is something that Azure refuses,
    drops or ends on; the list excuses no such case.
    """
    difference = differences().get(case)
    if here == recorded:
        assert difference is None, f"{case} is as recorded: take it out of differences.json"
        return
    told = f"{case}\nrecorded: {recorded!r}\nhere:     {here!r}"
    assert not kinder, f"kinder than Azure: {told}"
    assert difference is not None, f"not as recorded, and not in differences.json: {told}"
