"""What must hold in every run, whatever broke; each check tells its violations in sentences."""

from collections import Counter
from collections.abc import Iterator

from replication.dead_letters.rows import list_letter
from replication.domain.errors import MalformedError
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region
from replication.listing.job_rows import STUCK, list_job, view_keys
from replication.ports import LetterQuery
from replication.records.message_codec import decode_message
from tools.simulation.books import Export
from tools.simulation.world import World

_CATALOG = shipped_catalog()


# After its deadline a job ends at its next look, which may be an hour away and fail a few times.
DEADLINE_SLACK_S = 3 * 3600.0
# A lost message is noticed by the next sweep, whose own message may be lost as well.
# A dead worker hides its message for ten minutes; the sweep finds the job a few minutes later.
_SLACK_FOR_A_DEAD_WORKER_S = 900.0


def record_problems(run: World, job: ReplicationJob) -> Iterator[str]:
    """Check a record that is about to be written."""
    name = job.image_version_id.version
    if job.tries.writes > run.limits.write_max_attempts:
        yield f"{name}: {job.tries.writes} writes on record"
    if job.phase.is_end and not job.reason:
        yield f"{name} ended without a reason"
    export = run.exports.get(job.key)
    if export and export.stays_cancelled and job.phase is not Phase.CANCELLED:
        yield f"{name} was cancelled and is {job.phase.value} again"


def deadline_problems(run: World) -> Iterator[str]:
    """Check that no job is open long after its deadline."""
    now = run.clock()
    slack_s = DEADLINE_SLACK_S + run.scheduler.kills * _SLACK_FOR_A_DEAD_WORKER_S
    slack_s += run.faults.counts["message_lost"] * run.sweep_s
    # A look lasts as long as its calls, and is void if that is longer than its claim.
    slack_s += run.scheduler.drifted_s
    for row in run.store.rows.values():
        job = row.job
        late_s = (now - job.schedule.deadline_at).total_seconds()
        if late_s > slack_s and not job.phase.is_end:
            name, late = job.image_version_id.version, f"{late_s / 3600:.1f} h after its deadline"
            yield f"{name} is {job.phase.value} {late}: {job.reason}"


def write_problems(run: World) -> Iterator[str]:
    """Check each write: nothing foreign, nothing Completed is dropped, of what its writer had seen.

    A region that came into the list after the look is another matter: Azure has no ETag, so the
    last write wins, and no client can know.
    """
    for write in run.cloud.writes:
        who = f"{write.task} on {write.version.version} at {write.at:%d %H:%M:%S}"
        seen_and_dropped = write.dropped & write.seen
        completed = seen_and_dropped & write.seen_completed
        if completed:
            yield f"{who} dropped {sorted(completed)}, Completed when it looked"
        foreign = seen_and_dropped - write.dropped_ours
        if foreign:
            yield f"{who} dropped {sorted(foreign)}, which the app had not added"


def listing_problems(run: World) -> Iterator[str]:
    """Check that the lists and counts show every job as its record is."""
    listing = run.apps[0].listing
    phases = Counter(row.job.phase.value for row in run.store.rows.values())
    totals = listing.totals()
    counted = {what: number for what, number in totals.jobs.items() if what != STUCK}
    if counted != {phase.value: phases[phase.value] for phase in Phase}:
        yield f"the listing counts {counted}, and there are {dict(phases)}"
    states = Counter(copy.state for row in run.store.rows.values() for copy in row.job.replicas)
    if totals.replicas != {state: states[state] for state in ReplicaState}:
        yield f"the listing counts the replicas {totals.replicas}, and there are {dict(states)}"
    standings = {one.listed.key: one for one in listing.standings()}
    for key, row in run.store.rows.items():
        standing = standings.get(key)
        if standing is None or standing.listed != list_job(row.job, standing):
            yield f"{row.job.image_version_id.version} is listed as {standing and standing.listed}"
    views = Counter(key for one in standings.values() for key in view_keys(one.listed))
    listed = {key for key in run.listing.rows if not key.startswith(("job|", "count|", "hour|"))}
    if listed != set(views):
        yield f"rows that no job stands under: {sorted(listed ^ set(views))[:3]}"


def letter_problems(run: World) -> Iterator[str]:
    """Check that every dead letter holds what is needed to understand it and to send it again."""
    for letter in run.letters.letters.values():
        if not (letter.code and letter.cause and letter.raw and letter.attempts >= 0):
            yield f"the dead letter {letter.id} lacks its cause, its code or its raw message"
        if letter.source == "event":
            continue  # its raw event is all there is
        try:
            decode_message(letter.raw)
        except MalformedError as error:
            yield f"the dead letter {letter.id} cannot be sent again: {error}"
        if letter.source == "job" and not letter.timeline:
            yield f"the dead letter {letter.id} of a job has no timeline"
    for row in run.store.rows.values():
        job = row.job
        if job.phase in (Phase.FAILED, Phase.PARTIAL) and job.letter_id not in run.letters.letters:
            yield f"{job.image_version_id.version} is {job.phase.value} and has no dead letter"


def letter_list_problems(run: World) -> Iterator[str]:
    """Check that after a sweep the list shows and counts every dead letter as it is kept."""
    letters = run.apps[0].ports.letters
    listed = letters.find(LetterQuery(state=None, limit=len(run.letters.letters) + 1)).letters
    kept = {one.id: list_letter(one) for one in run.letters.letters.values()}
    if {one.id: one for one in listed} != kept or len(listed) != len(kept):
        yield f"{len(kept)} dead letters are kept, and the list shows {listed}"
    if letters.causes() != run.letters.causes():
        yield f"the list counts {letters.causes()}, and there are {run.letters.causes()}"


def end_problems(run: World) -> Iterator[str]:
    """Check the end: every export is Completed everywhere, but for what is excused by name."""
    for key, export in run.exports.items():
        name = export.version.id.version
        row = run.store.rows.get(key)
        if row is None:
            # Deleted before anyone looked; or no event told of it, and all its regions were there.
            if not export.version.deleted and not export.event_lost:
                yield f"{name} is not on record"
            continue
        job = row.job
        if not job.reason:
            yield f"{name} ended as {job.phase.value} without a reason"
        if export.version.deleted:
            if job.phase not in (Phase.SUPERSEDED, Phase.CANCELLED):
                yield f"{name} was deleted and ended as {job.phase.value}: {job.reason}"
            continue
        if job.phase is Phase.CANCELLED and export.cancelled:
            continue
        yield from _not_completed(run, export, job)


def _not_completed(run: World, export: Export, job: ReplicationJob | None) -> Iterator[str]:
    name, version = export.version.id.version, export.version
    wanted = {one.name for one in _CATALOG.same_geography(Region(version.home))}
    now = run.clock()
    for region in sorted(wanted):
        copy = version.copies.get(region)
        if copy is not None and copy.state(now) == "Completed":
            continue
        if region in run.cloud.refused and _left_out(job, region):
            continue
        if region in export.removed_by_rival and _left_out(job, region):
            continue
        state = copy.state(now) if copy else "not listed"
        ended = f"the job is {job.phase.value}: {job.reason}" if job else "nothing is on record"
        yield f"{name}: {region} is {state} at the end, and {ended}"


def _left_out(job: ReplicationJob | None, region: str) -> bool:
    """Tell whether the record says why the region is not there."""
    if job is None:
        return False
    replica = job.replica(Region(region))
    removed = replica is not None and replica.state is ReplicaState.REMOVED and replica.reason
    return bool(removed) or any(one.region.name == region and one.reason for one in job.left_out)
