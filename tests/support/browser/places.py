"""Every page of the desk by its name, and what its twin in JSON must agree with."""

from tests.support.browser.desk import Desk

NAMES = (
    "overview",
    "replications",
    "replication",
    "dead-letters",
    "dead-letter",
    "regions",
    "costs",
    "policy",
    "actions",
    "runbook",
)


def place_of(desk: Desk, name: str) -> str:
    """Return the path of a page; of one thing, that which is in trouble."""
    if name == "overview":
        return "/dashboard"
    if name == "replication":
        return f"/dashboard/replications/{desk.replication_of('robotics')['key']}"
    if name == "dead-letter":
        letter = desk.letters_of(failure_code="copy_failed", state="all")[0]
        return f"/dashboard/dead-letters/{letter['id']}"
    return f"/dashboard/{name}"
