"""Causes of trouble for the tests of the notices."""

from datetime import datetime

from replication.notices.rules import (
    Cause,
    NoticeRules,
)
from tests.support.builders import NOON

RULES = NoticeRules(repeat_s=6 * 3600, quiet_s=600, settle_s=1800, memory_s=24 * 3600)


def cause(key: str = "letter|locked", *, jobs: int = 1, since: datetime = NOON) -> Cause:
    return Cause(key=key, code=key.split("|")[1], jobs=jobs, since=since)
