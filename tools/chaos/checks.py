"""What must hold after a run, checked on ARM's own log of requests. Pure functions.

ARM notes for every write that it accepted what the list held before, with the state of each copy,
what was sent, which copies it will let fail, and whether it kept the write at all. So nothing here
takes the app's word for anything.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

type Entry = Mapping[str, Any]

_INCOMPLETE = "Complete set of target locations not specified"
NOT_THE_APP = "not-the-app"
"""The query parameter that marks a request as the harness's own, or as the rival's."""

_VERSION_PATH = re.compile(r"/versions/[^/]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPatch:
    """A PATCH of an image version that ARM answered with 200, kept or not."""

    n: int
    held: Mapping[str, str]
    sent: frozenset[str]
    will_fail: frozenset[str]
    kept: bool

    @property
    def dropped(self) -> frozenset[str]:
        """Return the regions that were in the list and are not in this one."""
        return frozenset(self.held) - self.sent

    @property
    def purpose(self) -> frozenset[str]:
        """Return what was to be done: regions that are missing, and those whose copy failed."""
        failed = {name for name in self.sent if self.held.get(name) == "Failed"}
        return (self.sent - frozenset(self.held)) | failed


@dataclass(slots=True)
class SecondPatches:
    """How many PATCHes each version took, and what those beyond the first were for."""

    per_version: Counter[int] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)


def accepted_patches(log: Iterable[Entry]) -> dict[str, list[AcceptedPatch]]:
    """Return the accepted PATCHes of each version, in the order in which ARM carried them out."""
    found: dict[str, list[AcceptedPatch]] = defaultdict(list)
    for entry in sorted(_of_the_app(log), key=lambda one: int(one["done"])):
        write = entry.get("write")
        if entry["method"] == "PATCH" and write is not None:
            found[str(entry["path"]).lower()].append(
                AcceptedPatch(
                    n=int(entry["n"]),
                    held=write["held"],
                    sent=frozenset(write["sent"]),
                    will_fail=frozenset(write["will_fail"]),
                    kept=bool(write["kept"]),
                )
            )
    return found


def dropped_regions(log: Iterable[Entry]) -> list[str]:
    """Return a sentence for every region that an accepted PATCH left out of the list.

    Counted is every accepted PATCH, also one whose write ARM then lost, against the list that the
    version held at that moment. No region may be missing, whoever added it and however far its copy
    was: the versions of these runs do not allow removals, so not even the repair of a failed copy
    has a reason to leave one out.
    """
    return [
        f"PATCH {patch.n} of {version} left out {', '.join(sorted(patch.dropped))}"
        for version, patches in accepted_patches(log).items()
        for patch in patches
        if patch.dropped
    ]


def writes_without_a_look(log: Iterable[Entry]) -> list[str]:
    """Return a sentence for every PATCH that no GET of its version came before.

    Between two PATCHes of a version, whatever ARM answered them, somebody must have been answered a
    GET of that version with 200: else two writes came from one observation. Counted in the order in
    which ARM carried the requests out, since a fault may hold a request back.
    """
    problems, seen = [], set[str]()
    for entry in sorted(_of_the_app(log), key=lambda one: int(one["done"])):
        path = str(entry["path"]).lower().rstrip("/")
        if not _is_version(path):
            continue
        if entry["method"] == "GET" and entry["status"] == 200:
            seen.add(path)
        elif entry["method"] == "PATCH":
            if path not in seen:
                problems.append(f"PATCH {entry['n']} of {path} without a look since the last one")
            seen.discard(path)
    return problems


def second_patches(log: Iterable[Entry]) -> SecondPatches:
    """Pair every PATCH beyond the first of its regions with the fault that explains it.

    The purpose of a PATCH are the regions that ARM's list lacked and it brings, and those in the
    list whose copy had Failed. A region that no PATCH of the version asked for before needs no
    reason. Each further time that it is asked for needs a fault of its own, recorded by ARM for
    this region of this version since: the PATCH that asked for it was answered and lost, or the
    copy that it started was told to fail. A kill, a cut connection or an answer that did not arrive
    explains no second PATCH: whoever comes after must look first, and then sees the region listed.
    A PATCH without any purpose is never explained.
    """
    result = SecondPatches()
    for version, patches in accepted_patches(log).items():
        result.per_version[len(patches)] += 1
        asked, faults = set[str](), defaultdict[str, list[str]](list)
        for patch in patches:
            again = patch.purpose & asked
            bare = {name for name in again if not faults[name]}
            if not patch.purpose:
                result.unexplained.append(f"PATCH {patch.n} of {version}: nothing was missing")
            elif bare:
                names = ", ".join(sorted(bare))
                result.unexplained.append(f"PATCH {patch.n} of {version}: {names} again")
            elif again:
                kinds = sorted({faults[name].pop() for name in again})
                result.explained[" and ".join(kinds)] += 1
            asked |= patch.purpose
            if patch.kept:
                struck, kind = patch.will_fail, "failed copy"
            else:
                struck, kind = patch.purpose, "lost write"
            for name in struck:
                faults[name].append(kind)
    return result


def stale_writes(log: Iterable[Entry]) -> tuple[int, list[str]]:
    """Count the PATCHes that ARM refused because a region of its list was missing in them.

    Each needs a write of somebody else, kept by ARM, between the last look at that version and it:
    the others, returned as sentences, would have dropped a region that the app knew of.
    """
    count, problems, written = 0, [], set[str]()
    for entry in sorted((one for one in log if one.get("done")), key=lambda one: int(one["done"])):
        path = str(entry["path"]).lower()
        if NOT_THE_APP in entry["query"]:
            if entry.get("write", {}).get("kept"):
                written.add(path)
        elif entry["method"] == "GET" and entry["status"] == 200:
            written.discard(path)
        elif _INCOMPLETE in str(entry.get("refusal", "")):
            count += 1
            if path not in written:
                problems.append(f"PATCH {entry['n']} of {path} would have dropped a region")
    return count, problems


def foreign_versions(log: Iterable[Entry], region: str) -> set[str]:
    """Return the versions to whose lists somebody else than the app added a region for good."""
    return {
        str(entry["path"]).lower()
        for entry in log
        if NOT_THE_APP in entry["query"]
        and (write := entry.get("write"))
        and write["kept"]
        and region in write["sent"]
    }


def failed_copies(log: Iterable[Entry]) -> Counter[str]:
    """Return how many copies of each version were told to fail."""
    found: Counter[str] = Counter()
    for version, patches in accepted_patches(log).items():
        found[version] += sum(len(patch.will_fail) for patch in patches if patch.kept)
    return +found


def unexplained_letters(
    letters: Iterable[Mapping[str, Any]], log: Iterable[Entry], *, broken_off: int
) -> list[str]:
    """Return a sentence for every dead letter that no fault of the run accounts for.

    A letter about failed copies needs a copy of that version that was told to fail, one about a
    poisoned message invocations that were broken off, by a kill or a storage that was away. No
    other cause belongs to the faults of these runs. And none may be open in the end.
    """
    log = tuple(log)
    failed = failed_copies(log)
    problems = []
    for letter in letters:
        code, version = str(letter["code"]), str(letter.get("image_version_id") or "").lower()
        explained = (code == "copy_failed" and failed[version] > 0) or (
            code == "poison_message" and broken_off > 0
        )
        if not explained or letter["state"] == "open":
            problems.append(
                f"dead letter {code} of {version}, {letter['state']}: {letter.get('cause_0')}"
            )
    return problems


def _of_the_app(log: Iterable[Entry]) -> Iterable[Entry]:
    """Go through the app's requests that are over."""
    return (
        entry
        for entry in log
        if entry.get("done") is not None and NOT_THE_APP not in entry["query"]
    )


def _is_version(path: str) -> bool:
    return _VERSION_PATH.search(path) is not None
