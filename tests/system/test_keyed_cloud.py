"""A local cloud that is no developer's machine asks for keys, and its own events bring theirs."""

import json
from pathlib import Path

from localcloud.functions.keys import KEY_FILE
from tests.support.http.calling import principal
from tests.support.localcloud.hosts import (
    eventually,
    http_call,
    ready_line,
    run_localcloud,
    start_localcloud,
)


def test_with_another_environment_name_up_asks_for_a_key_and_works(tmp_path: Path) -> None:
    with start_localcloud(
        *("up", "--port-base", "0", "--state", str(tmp_path), "--time-scale", "1000"),
        settings={"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"},
    ) as process:
        try:
            ready = ready_line(process)
            url = f"{ready['functions']}/api/v1/replications"
            forged = {"x-ms-client-principal": principal("Replication.Operator")}
            for headers in ({}, forged, {"x-functions-key": "wrong"}):
                assert http_call(url, headers=headers).status == 401
            key = {"x-functions-key": (tmp_path / KEY_FILE).read_text()}
            assert http_call(url, headers=key).status == 200
            # The event of an export comes in, since Event Grid brings the key.
            run_localcloud("export", "--image", "keyed", "--arm", ready["arm"])

            def succeeded() -> bool:
                items = json.loads(http_call(url, headers=key).body)["items"]
                return [one["phase"] for one in items] == ["succeeded"]

            eventually(lambda: succeeded() or None, within_s=60)
        finally:
            process.terminate()
            process.wait(60)
