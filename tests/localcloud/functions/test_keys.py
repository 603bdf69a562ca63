from pathlib import Path

import pytest

from localcloud.functions.errors import HostStartError
from localcloud.functions.keys import KEY_FILE, access_key, opens

PRODUCTION = {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}


def test_development_asks_for_no_key(tmp_path: Path) -> None:
    key = access_key({"AZURE_FUNCTIONS_ENVIRONMENT": "development"}, tmp_path / "none")
    assert key is None
    assert opens(key, None)
    assert not (tmp_path / "none").exists()


def test_hosts_of_one_state_directory_share_the_generated_key(tmp_path: Path) -> None:
    first = access_key(PRODUCTION, tmp_path / "state")
    assert first is not None
    assert len(first) >= 32
    assert access_key(PRODUCTION, tmp_path / "state") == first
    assert [path.name for path in (tmp_path / "state").iterdir()] == [KEY_FILE]


def test_only_the_key_opens() -> None:
    assert opens("secret", "secret")
    assert not opens("secret", "Secret")
    assert not opens("secret", "")
    assert not opens("secret", None)


def test_what_is_no_utf_8_opens_nothing_and_breaks_nothing() -> None:
    assert not opens("secret", "\udcff")
    assert not opens("", None)
    assert not opens("", "")


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
