"""A function that takes too long, in a host as a process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.localcloud.hosts import eventually, running_host


@pytest.mark.slow
def test_a_function_over_its_time_is_broken_off_with_its_neighbours(tmp_path: Path) -> None:
    with running_host("slow", tmp_path) as host, ThreadPoolExecutor(3) as pool:
        too_long = pool.submit(host.call, "/work?for_s=6&as=too-long")
        eventually(lambda: "exceeded" in host.stderr())
        neighbours = [
            pool.submit(host.call, f"/{kind}?for_s=4&as={kind}") for kind in ("work", "wait")
        ]
        eventually(lambda: "the worker is killed" in host.stderr())
        # The new worker serves at once, while the old one's callers hang.
        assert host.call("/work?for_s=0.1&as=after").status == 200
        assert [one.result().status for one in (too_long, *neighbours)] == [500, 500, 500]
        assert [line["function"] for line in host.records()] == ["after"]
