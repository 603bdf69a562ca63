from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.config.settings import Settings, SettingsError, SignIn, StorageSettings
from replication.domain.limits import Limits
from replication.domain.urls import is_loopback
from tests.support.strategies import outcome

ROOT = Path("/app")
STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
NUMBERS = (
    "TRACKING_MIN_DELAY_S",
    "TRACKING_MAX_DELAY_S",
    "RETRY_BASE_DELAY_S",
    "RETRY_MAX_DELAY_S",
    "LEASE_DURATION_S",
    "REPLICATION_DEADLINE_H",
    "OVERDUE_AFTER_S",
    "REGION_REFUSAL_MEMORY_H",
    "REGION_CATALOG_TTL_S",
    "NOTICE_REPEAT_H",
    "NOTICE_QUEUE_BEHIND_S",
)
COUNTS = ("RETRY_MAX_ATTEMPTS", "REGION_MAX_ATTEMPTS", "WRITE_MAX_ATTEMPTS")
URLS = ("AZURE_RESOURCE_MANAGER_URL", "OUTCOME_TOPIC_ENDPOINT")


def read(**env: str) -> Settings:
    return Settings.from_env({**STORAGE, **env}, app_root=ROOT)


def refused(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read(**env)
    return str(raised.value).splitlines()


def test_storage_alone_is_enough() -> None:
    settings = read()
    assert settings.limits == Limits()
    assert settings.cloud == "AzurePublicCloud"
    assert settings.policy_path == ROOT / "replication-policy.yaml"
    assert settings.storage == StorageSettings(connection_string="UseDevelopmentStorage=true")
    assert (settings.resource_manager_url, settings.outcome_topic_endpoint) == (None, None)


def test_every_setting_is_read() -> None:
    settings = read(
        AZURE_CLOUD="AzureUSGovernment",
        AZURE_RESOURCE_MANAGER_URL="http://127.0.0.1:7070/",
        OUTCOME_TOPIC_ENDPOINT="https://labs.usgovvirginia-1.eventgrid.azure.us/api/events",
        REPLICATION_POLICY="/etc/policy.yaml",
        TRACKING_MIN_DELAY_S="0.25",
        TRACKING_MAX_DELAY_S="10",
        RETRY_BASE_DELAY_S="0.5",
        RETRY_MAX_DELAY_S="20",
        LEASE_DURATION_S="30",
        REPLICATION_DEADLINE_H="2",
        OVERDUE_AFTER_S="60",
        REGION_REFUSAL_MEMORY_H="1",
        REGION_CATALOG_TTL_S="90",
        RETRY_MAX_ATTEMPTS="7",
        REGION_MAX_ATTEMPTS="2",
        WRITE_MAX_ATTEMPTS="9",
    )
    assert settings.limits == Limits(
        tracking_min_s=0.25,
        tracking_max_s=10,
        retry_base_s=0.5,
        retry_max_s=20,
        lease_s=30,
        deadline_s=7200,
        overdue_after_s=60,
        refusal_memory_s=3600,
        retry_max_attempts=7,
        region_max_attempts=2,
        write_max_attempts=9,
    )
    assert settings.resource_manager_url == "http://127.0.0.1:7070"
    assert settings.policy_path == Path("/etc/policy.yaml")
    assert settings.catalog_ttl_s == 90
    topic = "https://labs.usgovvirginia-1.eventgrid.azure.us/api/events"
    assert settings.outcome_topic_endpoint == topic
    assert settings.cloud == "AzureUSGovernment"


def test_blank_settings_are_as_good_as_none() -> None:
    assert read(AZURE_CLOUD=" ", RETRY_MAX_ATTEMPTS="", OUTCOME_TOPIC_ENDPOINT=" ") == read()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "604801", "1e99"])
def test_a_number_that_is_none_is_named(name: str, value: str) -> None:
    (said,) = refused(**{name: value})
    assert said.startswith(f"{name} is {value!r}; it is a number from ")


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "10001", "9" * 60, "٣"])
def test_a_count_that_is_none_is_named(name: str, value: str) -> None:
    (said,) = refused(**{name: value})
    assert said.startswith(f"{name} is {value!r}; it is a whole number from 1 to 10000")


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "value",
    ["http://example.org", "ftp://127.0.0.1", "example.org", "https://", "http://[::1", "//x"],
)
def test_a_url_that_is_none_or_unsafe_is_named(name: str, value: str) -> None:
    (said,) = refused(**{name: value})
    assert said.startswith(f"{name} is ")
    assert said.endswith("it is an https URL, or plain http to this machine only")


@pytest.mark.parametrize(
    ("cloud", "arm", "topic"),
    [
        ("AzurePublicCloud", "management.azure.com", "eventgrid.azure.net"),
        ("AzureUSGovernment", "management.usgovcloudapi.net", "eventgrid.azure.us"),
        ("AzureChinaCloud", "management.chinacloudapi.cn", "eventgrid.azure.cn"),
    ],
)
def test_a_token_goes_to_the_chosen_cloud_and_to_this_machine_alone(
    cloud: str, arm: str, topic: str
) -> None:
    for name, host in (("AZURE_RESOURCE_MANAGER_URL", arm), ("OUTCOME_TOPIC_ENDPOINT", topic)):
        for taken in (
            f"https://{host}",
            f"https://labs.westeurope-1.{host.upper()}:443/api/events",
            "https://localhost:7070",
            "http://127.0.0.1:7070",
            "https://[::1]:7070",
        ):
            read(AZURE_CLOUD=cloud, **{name: taken})
        for stranger in (
            "https://arm.example",
            f"https://{host}.example",
            f"https://not{host}",
            f"https://{host}@arm.example",
            f"https://arm.example/{host}",
            f"https://arm.example#.{host}",
            f"https://user@{host}",
            f"https://{host}.",
            "https://user@localhost",
            "https://management.microsoftazure.de",
            "https://10.0.0.4",
        ):
            (said,) = refused(AZURE_CLOUD=cloud, **{name: stranger})
            assert said.startswith(f"{name} is {stranger!r}; the app would show its token there")
            assert host in said
    other = "AzureChinaCloud" if cloud != "AzureChinaCloud" else "AzurePublicCloud"
    (said,) = refused(AZURE_CLOUD=other, AZURE_RESOURCE_MANAGER_URL=f"https://{arm}")
    assert "as AZURE_CLOUD says" in said


@pytest.mark.parametrize("name", URLS)
def test_an_address_on_which_clients_do_not_agree_is_none(name: str) -> None:
    # One library's host is this machine, another's is the stranger before the backslash.
    for text in ("https://arm.example\\@127.0.0.1", "http://arm.example\\@localhost/"):
        assert len(refused(**{name: text})) == 1


@pytest.mark.parametrize("name", ["NOTICE_WEBHOOK_URL", "NOTICE_TEAMS_URL"])
@pytest.mark.parametrize(
    "value", ["http://example.org/s3cret", "ftp://127.0.0.1/s3cret", "s3cret", "//s3cret"]
)
def test_an_address_that_is_a_secret_is_never_shown(name: str, value: str) -> None:
    (said,) = refused(**{name: value})
    assert said.startswith(f"{name} is not an https URL")
    assert "s3cret" not in said
    settings = read(**{name: "https://example.org/hook?sig=s3cret"})
    assert "https://example.org/hook?sig=s3cret" in (
        settings.notice_webhook_url,
        settings.notice_teams_url,
    )
    assert "s3cret" not in repr(settings)


def test_an_unknown_cloud_is_named_with_the_known_ones() -> None:
    (said,) = refused(AZURE_CLOUD="Mars")
    assert said == (
        "AZURE_CLOUD is 'Mars'; it is one of AzurePublicCloud, AzureUSGovernment, AzureChinaCloud"
    )


def test_bounds_the_wrong_way_round_are_named() -> None:
    assert refused(TRACKING_MIN_DELAY_S="20", TRACKING_MAX_DELAY_S="10") == [
        "TRACKING_MIN_DELAY_S (20) is more than TRACKING_MAX_DELAY_S (10)"
    ]
    assert refused(RETRY_BASE_DELAY_S="20", RETRY_MAX_DELAY_S="10") == [
        "RETRY_BASE_DELAY_S (20) is more than RETRY_MAX_DELAY_S (10)"
    ]


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({"AZURE_CLOUD": "x", "LEASE_DURATION_S": "0"}, app_root=ROOT)
    said = str(raised.value).splitlines()
    assert [line.split()[0] for line in said] == [
        "AZURE_CLOUD",
        "AzureWebJobsStorage",
        "LEASE_DURATION_S",
    ]


@pytest.mark.parametrize(
    ("cloud", "suffix"),
    [
        ("AzurePublicCloud", "core.windows.net"),
        ("AzureUSGovernment", "core.usgovcloudapi.net"),
        ("AzureChinaCloud", "core.chinacloudapi.cn"),
    ],
)
def test_an_account_name_stands_for_its_endpoints(cloud: str, suffix: str) -> None:
    env = {
        "AZURE_CLOUD": cloud,
        "AzureWebJobsStorage__accountName": "acct",
        "AzureWebJobsStorage__clientId": "me",
    }
    assert Settings.from_env(env, app_root=ROOT).storage == StorageSettings(
        queue_url=f"https://acct.queue.{suffix}",
        table_url=f"https://acct.table.{suffix}",
        blob_url=f"https://acct.blob.{suffix}",
        client_id="me",
    )


def test_the_endpoints_count_before_the_name_beside_them() -> None:
    uris = {
        "AzureWebJobsStorage__blobServiceUri": "https://other.blob.core.windows.net/",
        "AzureWebJobsStorage__queueServiceUri": "https://other.queue.core.windows.net/",
        "AzureWebJobsStorage__tableServiceUri": "https://other.table.core.windows.net/",
    }
    name = {"AzureWebJobsStorage__accountName": "acct"}
    assert Settings.from_env({**uris, **name}, app_root=ROOT).storage == StorageSettings(
        queue_url="https://other.queue.core.windows.net",
        table_url="https://other.table.core.windows.net",
        blob_url="https://other.blob.core.windows.net",
    )
    # One that lacks is the name's, whatever the others are.
    queue = {"AzureWebJobsStorage__queueServiceUri": "https://q.example"}
    assert Settings.from_env({**queue, **name}, app_root=ROOT).storage == StorageSettings(
        queue_url="https://q.example",
        table_url="https://acct.table.core.windows.net",
        blob_url="https://acct.blob.core.windows.net",
    )


def test_an_identity_is_named_by_one_of_its_ids() -> None:
    env = {"AzureWebJobsStorage__accountName": "acct"}
    name = "AzureWebJobsStorage__managedIdentityResourceId"
    resource = (
        "/subscriptions/1-2/resourceGroups/rg_(1)/providers/microsoft.managedidentity"
        "/userAssignedIdentities/replicator"
    )
    storage = Settings.from_env({**env, name: resource}, app_root=ROOT).storage
    assert (storage.identity_id, storage.client_id) == (resource, None)
    with pytest.raises(SettingsError, match=f"{name} is 'replicator'; it is the resource id of"):
        Settings.from_env({**env, name: "replicator"}, app_root=ROOT)
    both = {**env, name: resource, "AzureWebJobsStorage__clientId": "me"}
    with pytest.raises(SettingsError, match="name an identity each; set one of them"):
        Settings.from_env(both, app_root=ROOT)


def test_endpoints_may_be_given_one_by_one() -> None:
    env = {
        "AzureWebJobsStorage__queueServiceUri": "https://q.example/",
        "AzureWebJobsStorage__tableServiceUri": "https://t.example",
    }
    assert Settings.from_env(env, app_root=ROOT).storage == StorageSettings(
        queue_url="https://q.example", table_url="https://t.example"
    )
    with pytest.raises(SettingsError, match="AzureWebJobsStorage is missing"):
        Settings.from_env(dict([env.popitem()]), app_root=ROOT)


def test_an_endpoint_that_is_no_url_is_named() -> None:
    env = {
        "AzureWebJobsStorage__queueServiceUri": "http://example.org",
        "AzureWebJobsStorage__accountName": "acct",
    }
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(env, app_root=ROOT)
    (said,) = str(raised.value).splitlines()
    assert said.startswith("AzureWebJobsStorage__queueServiceUri is 'http://example.org'")


@given(
    env=st.dictionaries(
        st.sampled_from([*NUMBERS, *COUNTS, *URLS, "AZURE_CLOUD", "REPLICATION_POLICY"]), st.text()
    )
)
def test_any_environment_gives_settings_or_a_settings_error(env: dict[str, str]) -> None:
    assert str(outcome(lambda: read(**env), SettingsError))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1", True),
        ("http://127.0.0.9", True),
        ("http://[::1]:7070", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("nonsense", False),
    ],
)
def test_this_machine_is_told_from_others(*, url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_the_address_of_the_blobs_may_be_given_too() -> None:
    env = {
        "AzureWebJobsStorage__queueServiceUri": "https://q.example",
        "AzureWebJobsStorage__tableServiceUri": "https://t.example",
        "AzureWebJobsStorage__blobServiceUri": "https://b.example/",
    }
    assert Settings.from_env(env, app_root=ROOT).storage.blob_url == "https://b.example"


def test_allowed_subscriptions_are_ids_with_commas_or_blanks_between_them() -> None:
    one, two = "11111111-2222-3333-4444-55555555AAAA", "99999999-2222-3333-4444-555555555555"
    allowed = read(ALLOWED_SUBSCRIPTIONS=f" {one},{two}  {one} ,").allowed_subscriptions
    assert allowed == {one.lower(), two}
    assert read(ALLOWED_SUBSCRIPTIONS=" , ").allowed_subscriptions == frozenset()
    (problem,) = refused(ALLOWED_SUBSCRIPTIONS=f"{one};{two}")
    assert problem.startswith(
        f"ALLOWED_SUBSCRIPTIONS holds '{one.lower()};{two}'; it is a list of "
    )


def test_whose_tokens_are_believed_is_named_by_tenant_and_audience() -> None:
    tenant = "11111111-2222-3333-4444-55555555AAAA"
    sign_in = read(SIGN_IN_TENANTS=tenant, SIGN_IN_AUDIENCES="api://A, b").sign_in
    assert sign_in == SignIn(
        tenants=frozenset({tenant.lower()}), audiences=frozenset({"api://a", "b"})
    )
    assert not read().sign_in.is_set
    (said,) = refused(SIGN_IN_TENANTS="contoso.com", SIGN_IN_AUDIENCES="b")
    assert said.startswith("SIGN_IN_TENANTS holds 'contoso.com'; it is a list of tenant ids")
    (said,) = refused(SIGN_IN_TENANTS=tenant)
    assert said == "SIGN_IN_TENANTS and SIGN_IN_AUDIENCES go together; one of them is missing"
