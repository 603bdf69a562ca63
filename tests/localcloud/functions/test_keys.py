from pathlib import Path

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
