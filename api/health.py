"""Health: what the app cannot work without, and which of its timers does not run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.schemas.base import Health
from replication.domain.errors import ReplicationError
from replication.domain.policy import ReplicationPolicy
from replication.ports import JobQuery, JobQueues
from replication.records.repository import JobRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Asks what the app needs; `absent_timers` are those that the host leaves out."""

    jobs: JobRepository
    queues: JobQueues
    policy: ReplicationPolicy
    clock: Callable[[], datetime]
    absent_timers: Mapping[str, str]

    def read(self) -> Health:
        """Return what each check found."""
        checks: dict[str, str] = {}
        for name, check in (
            ("tables", lambda: self.jobs.store.find(JobQuery(limit=1))),
            ("queues", self.queues.depths),
        ):
            try:
                check()
                checks[name] = "ok"
            except ReplicationError as error:
                checks[name] = str(error)
        # A timer that the host does not run shows nowhere else.
        checks |= self.absent_timers
        return Health.of(checks, self.policy.fingerprint, self.clock())
