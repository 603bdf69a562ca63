"""Job codec: a job and the entries of its timeline as JSON documents, and back."""

from datetime import datetime
from typing import Any

from replication.codec import DETAILS, NAME, TRACE, Codec, Form, read_moment, read_text
from replication.domain.job import (
    HistoryEntry,
    HomeReplicas,
    Replica,
    ReplicationJob,
    Schedule,
    Tries,
)
from replication.domain.regions import Region

FORMAT_VERSION = 1


def _read_withheld(parts: Any) -> dict[Region, tuple[datetime, str]]:
    if not isinstance(parts, list):
        raise ValueError("is not a list")  # noqa: TRY004 - so that the field is named
    return {
        Region.parse(part["region"]): (read_moment(part["until"]), read_text(part["reason"]))
        for part in parts
    }


def _write_withheld(withheld: dict[Region, tuple[datetime, str]]) -> list[dict[str, str]]:
    return [
        {"region": region.name, "until": until.isoformat(), "reason": reason}
        for region, (until, reason) in withheld.items()
    ]


ENTRIES = Codec(
    shape=HistoryEntry,
    what="the entry",
    version=None,
    forms={HistoryEntry: {"details": DETAILS}},
)
JOBS = Codec(
    shape=ReplicationJob,
    what="the record",
    version=FORMAT_VERSION,
    # What every release wrote. Of the other fields older ones knew nothing.
    required={
        ReplicationJob: (*("phase", "replicas", "left_out", "withheld", "entries", "revision"),),
        Tries: ("claims", "attempts", "writes", "polls", "failures_in_a_row", "arm_calls"),
        Schedule: ("sequence",),
        Replica: ("state",),
        HomeReplicas: ("replica_count", "storage_account_type"),
    },
    forms={
        ReplicationJob: {
            "geography": NAME,
            "policy_fingerprint": NAME,
            "traceparent": TRACE,
            "withheld": Form(_read_withheld, _write_withheld),
        },
        Replica: {"storage_account_type": NAME},
        HomeReplicas: {"storage_account_type": NAME},
        HistoryEntry: {"details": DETAILS},
    },
    flat={"tries": Tries, "schedule": Schedule},
)
encode_job, decode_job = JOBS.encode_text, JOBS.decode_text
encode_entry, decode_entry = ENTRIES.encode, ENTRIES.decode
