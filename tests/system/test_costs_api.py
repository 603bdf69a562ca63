"""The cost audit over HTTP, on the real runtime and real storage."""

from tests.support.localcloud.hosts import http_call
from tests.support.localcloud.instances import StartApp

NOWHERE = "http://127.0.0.1:9"


def test_the_audit_answers_from_the_first_day(start_app: StartApp) -> None:
    app = start_app(arm_url=NOWHERE)
    report = app.get("/api/v1/costs?azure=no&group_by=lab,month")
    assert (report["totals"], report["group_by"]) == ([], ["lab", "month"])
    assert report["rows"]["read"] == 0
    # Azure is away, which leaves a gap and no answer that looks whole.
    asked = app.get("/api/v1/costs")
    assert "the list of subscriptions could not be read" in asked["azure_notes"][0]
    assert asked["unused"]["known"] is False
    table = http_call(f"{app.url}/api/v1/costs?format=csv")
    kinds = [value for name, value in table.headers.items() if name.lower() == "content-type"]
    assert [kind.partition(";")[0] for kind in kinds] == ["text/csv"]
    assert table.text.startswith("section,subscription,resource_group,gallery,currency,")
    wrong = app.get("/api/v1/costs?from=2999-01-01", status=400)
    assert wrong["detail"].startswith("from is 2999-01-01, and the ledger has no day after today")
