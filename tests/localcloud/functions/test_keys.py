from pathlib import Path

import pytest

from localcloud.functions.errors import HostStartError
from localcloud.functions.keys import KEY_FILE, Keys, Level, access_key, open_keys

PRODUCTION = {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}


def test_development_asks_for_no_key(tmp_path: Path) -> None:
    assert open_keys({"AZURE_FUNCTIONS_ENVIRONMENT": "development"}, tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_hosts_of_one_state_directory_share_the_generated_key(tmp_path: Path) -> None:
    first = access_key(PRODUCTION, tmp_path / "state")
    assert first is not None
    assert len(first) >= 32
    assert access_key(PRODUCTION, tmp_path / "state") == first
    assert [path.name for path in (tmp_path / "state").iterdir()] == [KEY_FILE]


KEYS = Keys.of("secret")
OFFERED = {
    "none": "",
    "wrong": "Secret",
    "no UTF-8": "\udcff",
    "host": KEYS.host,
    "system": KEYS.system,
    "master": KEYS.master,
}
# As recorded of the vendor's own handlers.
STATUS = {
    Level.ANONYMOUS: {},
    Level.FUNCTION: dict.fromkeys(("none", "wrong", "no UTF-8", "system"), 401),
    Level.ADMIN: dict.fromkeys(("none", "wrong", "no UTF-8", "host", "system"), 401),
    Level.SYSTEM: {**dict.fromkeys(("none", "wrong", "no UTF-8"), 401), "host": 403},
    Level.MASTER: {
        **dict.fromkeys(("none", "wrong", "no UTF-8"), 401),
        **dict.fromkeys(("host", "system"), 403),
    },
}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("offered", OFFERED)
def test_a_key_opens_what_it_is_for_and_nothing_else(level: Level, offered: str) -> None:
    assert KEYS.refusal(OFFERED[offered], level) == STATUS[level].get(offered)


def test_the_keys_of_a_host_key_are_different_and_the_same_for_all_hosts() -> None:
    assert len({KEYS.host, KEYS.system, KEYS.master}) == 3
    assert Keys.of("secret") == KEYS
    assert Keys.of("other").system != KEYS.system


def test_an_empty_key_file_stops_the_host_and_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(" \n")
    with pytest.raises(HostStartError, match="is empty, and would let everybody in; delete it"):
        access_key(PRODUCTION, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_HOSTNAME", "WEBSITE_POD_NAME"),
        *("LEGION_SERVICE_HOST", "KUBERNETES_SERVICE_HOST", "CONTAINER_APP_NAME"),
    ],
)
def test_where_a_platform_runs_it_is_never_a_developers_machine(tmp_path: Path, name: str) -> None:
    settings = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", name: "abc"}
    assert access_key(settings, tmp_path) is not None
