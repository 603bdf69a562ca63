"""The checks themselves: on logs made by hand, each must see what it is there to see."""

from typing import Any

from tools.chaos.checks import (
    NOT_THE_APP,
    dropped_regions,
    failed_copies,
    foreign_versions,
    second_patches,
    stale_writes,
    unexplained_letters,
    writes_without_a_look,
)

VERSION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b"
VERSION += "/versions/1.0.0"
HOME = {"eastus": "Completed"}


class Log(list[dict[str, Any]]):
    """Requests in the order in which they were answered."""

    def get(self, *, status: int = 200, path: str = VERSION) -> None:
        self._add("GET", path, status)

    def patch(
        self,
        held: dict[str, str],
        sent: set[str],
        *,
        will_fail: tuple[str, ...] = (),
        kept: bool = True,
        looked: bool = True,
    ) -> None:
        if looked:
            self.get()
        self._add("PATCH", VERSION, 200)
        self[-1]["write"] = {
            "held": held,
            "sent": sorted(sent),
            "will_fail": list(will_fail),
            "kept": kept,
        }

    def refused_patch(self, status: int | None = 429) -> None:
        self._add("PATCH", VERSION, status)

    def _add(self, method: str, path: str, status: int | None) -> None:
        number = len(self) + 1
        asked = {"method": method, "path": path, "query": {"api-version": "2026-03-03"}}
        self.append({"n": number, "done": number, **asked, "status": status})


def completed(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "Completed")


def test_one_patch_for_all_that_was_missing_needs_no_reason() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus", "westus2"})
    seen = second_patches(log)
    assert (seen.unexplained, seen.explained, dict(seen.per_version)) == ([], {}, {1: 1})
    assert dropped_regions(log) == []
    assert writes_without_a_look(log) == []


def test_a_second_patch_after_a_lost_write_is_explained_once() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"}, kept=False)
    log.patch(HOME, {"eastus", "westus"})
    seen = second_patches(log)
    assert (seen.unexplained, seen.explained) == ([], {"lost write": 1})
    assert dict(seen.per_version) == {2: 1}
    # The region is gone from the list again, and no fault is left that could explain it.
    log.patch(HOME, {"eastus", "westus"})
    assert len(second_patches(log).unexplained) == 1


def test_a_second_patch_for_a_failed_copy_is_explained_once_per_failure() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus", "westus2"}, will_fail=("westus",))
    listed = completed("eastus", "westus2") | {"westus": "Failed"}
    log.patch(listed, set(listed), will_fail=("westus",))
    log.patch(listed, set(listed))
    assert second_patches(log).unexplained == []
    assert second_patches(log).explained == {"failed copy": 2}
    log.patch(listed, set(listed))
    (problem,) = second_patches(log).unexplained
    assert "westus again" in problem


def test_a_retry_of_a_failed_copy_that_was_lost_explains_another_one() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"}, will_fail=("westus",))
    listed = HOME | {"westus": "Failed"}
    log.patch(listed, {"eastus", "westus"}, kept=False)
    log.patch(listed, {"eastus", "westus"})
    assert second_patches(log).unexplained == []
    assert second_patches(log).explained == {"failed copy": 1, "lost write": 1}


def test_a_patch_that_brings_nothing_is_never_explained() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"})
    log.patch(HOME | {"westus": "Replicating"}, {"eastus", "westus"})
    (problem,) = second_patches(log).unexplained
    assert "nothing was missing" in problem


def test_a_fault_of_one_region_does_not_explain_another_one() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus", "westus2"}, will_fail=("westus",))
    log.patch(completed("eastus", "westus"), {"eastus", "westus", "westus2"})
    (problem,) = second_patches(log).unexplained
    assert "westus2 again" in problem


def test_a_region_that_nobody_asked_for_before_needs_no_reason() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"})
    log.patch(completed("eastus", "westus"), {"eastus", "westus", "westus2"})
    assert second_patches(log).unexplained == []
    assert second_patches(log).per_version == {2: 1}


def test_a_region_that_a_patch_leaves_out_is_seen_whatever_its_state_and_also_if_it_was_lost() -> (
    None
):
    for state in ("Completed", "Replicating", "Failed"):
        for kept in (True, False):
            log = Log()
            log.patch(HOME | {"japaneast": state}, {"eastus", "westus"}, kept=kept)
            (problem,) = dropped_regions(log)
            assert "left out japaneast" in problem


def test_a_second_write_from_one_observation_is_seen() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"}, kept=False)
    log.patch(HOME, {"eastus", "westus"}, looked=False)
    (problem,) = writes_without_a_look(log)
    assert "without a look" in problem


def test_a_body_that_is_sent_again_after_a_refusal_or_no_answer_is_seen() -> None:
    for status in (429, 500, None):
        log = Log()
        log.get()
        log.refused_patch(status)
        assert writes_without_a_look(log) == []
        log.patch(HOME, {"eastus", "westus"}, looked=False)
        assert len(writes_without_a_look(log)) == 1


def test_a_look_counts_only_when_it_was_answered_and_was_at_this_version() -> None:
    log = Log()
    log.get(status=500)
    log.get(path=VERSION.replace("1.0.0", "2.0.0"))
    log.get(path=VERSION.rsplit("/", 1)[0])
    log.patch(HOME, {"eastus", "westus"}, looked=False)
    assert len(writes_without_a_look(log)) == 1


def test_requests_count_in_the_order_in_which_they_were_carried_out() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"}, kept=False)
    log.patch(HOME, {"eastus", "westus"})
    # The first write came first and was held back until after the second look.
    log[1]["done"], log[2]["done"] = log[2]["done"], log[1]["done"]
    assert len(writes_without_a_look(reversed(log))) == 1


def test_what_the_rival_and_the_harness_do_is_not_put_down_to_the_app() -> None:
    log = Log()
    log.patch(HOME | {"japaneast": "Completed"}, {"eastus"}, looked=False)
    log[-1]["query"] = {NOT_THE_APP: "true"}
    log.get()
    log[-1]["query"] = {NOT_THE_APP: "true"}
    assert (dropped_regions(log), writes_without_a_look(log)) == ([], [])
    assert second_patches(log).per_version == {}
    assert foreign_versions(log, "japaneast") == set()
    log.patch(HOME, {"eastus", "japaneast"}, kept=False)
    log[-1]["query"] = {NOT_THE_APP: "true"}
    assert foreign_versions(log, "japaneast") == set()
    log[-1]["write"]["kept"] = True
    assert foreign_versions(log, "japaneast") == {VERSION.lower()}


def test_a_look_of_the_harness_is_not_one_of_the_app() -> None:
    log = Log()
    log.get()
    log[-1]["query"] = {NOT_THE_APP: "true"}
    log.patch(HOME, {"eastus", "westus"}, looked=False)
    assert len(writes_without_a_look(log)) == 1


def test_a_write_that_would_have_dropped_a_region_needs_a_rival_after_the_last_look() -> None:
    def problems(*order: str) -> int:
        log = Log()
        for what in order:
            if what == "look":
                log.get()
            elif what == "rival":
                log.patch(HOME, {"eastus", "uksouth"}, looked=False)
                log[-1]["query"] = {NOT_THE_APP: "true"}
            else:
                log.refused_patch(400)
                log[-1]["refusal"] = "BadRequest: Complete set of target locations not specified …"
        count, found = stale_writes(log)
        assert count == 1
        return len(found)

    assert problems("look", "rival", "write") == 0
    assert problems("look", "write") == 1
    assert problems("rival", "look", "write") == 1
    assert problems("look", "write", "rival") == 1


def test_another_refusal_is_none_of_a_stale_list() -> None:
    log = Log()
    log.get()
    log.refused_patch(400)
    log[-1]["refusal"] = "InvalidParameter: something else"
    assert stale_writes(log) == (0, [])


def test_requests_under_way_are_not_judged_yet() -> None:
    log = Log()
    log.patch(HOME, {"eastus"}, looked=False)
    log[0]["done"] = None
    assert writes_without_a_look(log) == []
    assert dropped_regions(log) == []


def test_a_letter_needs_a_fault_of_its_own_kind() -> None:
    log = Log()
    log.patch(HOME, {"eastus", "westus"}, will_fail=("westus",))
    assert failed_copies(log) == {VERSION.lower(): 1}
    about = {"image_version_id": VERSION, "cause_0": "why", "state": "resolved"}
    good = {**about, "code": "copy_failed"}
    other = {**good, "image_version_id": VERSION.replace("1.0.0", "2.0.0")}
    poison = {**about, "code": "poison_message"}
    strange = {**about, "code": "invalid_request"}
    assert unexplained_letters([good, poison], log, broken_off=1) == []
    assert len(unexplained_letters([other, strange], log, broken_off=1)) == 2
    assert len(unexplained_letters([poison], log, broken_off=0)) == 1
    assert len(unexplained_letters([good, {**good, "state": "open"}], log, broken_off=1)) == 1
