"""Calls to Azure Resource Manager in spans and figures: never by a query, or a name in a label."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.azure.arm.clients import ArmClients, ArmEndpoint
from replication.azure.arm.gallery import ArmGallery
from replication.azure.arm.telemetry import request_attributes, url_template
from replication.domain.errors import ThrottledError, TransientError
from replication.domain.region_snapshot import shipped_catalog
from replication.telemetry.metrics import HTTP_DURATION
from tests.support.arm.stub import Canned, StubArm, running_stub
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.recording import Recording, record
from tests.support.strategies import image_version_ids

ID = version_id()
VERSION = (
    "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.Compute"
    "/galleries/{gallery}/images/{image}/versions/{version}"
)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (str(ID), VERSION),
        (f"/subscriptions/{SUBSCRIPTION}/locations", "/subscriptions/{subscription}/locations"),
        ("/subscriptions", "/subscriptions"),
        ("/", "/"),
        (
            "/subscriptions/s/resourceGroups/providers/providers/Microsoft.Compute/galleries/images",
            VERSION.partition("/images")[0],
        ),
        (
            "/providers/Microsoft.ResourceGraph/resources",
            "/providers/Microsoft.ResourceGraph/resources",
        ),
        ("/what/nobody/foresaw", "/{}/{}/{}"),
    ],
)
def test_a_path_is_named_by_its_shape(path: str, template: str) -> None:
    assert url_template(path) == template


@given(path=st.text(max_size=2000))
def test_the_shape_of_any_path_is_short(path: str) -> None:
    assert len(url_template(path)) <= max(2 * len(path), 500)


@given(target=image_version_ids())
def test_every_version_has_the_same_shape(target: object) -> None:
    assert url_template(str(target)).lower() == VERSION.lower()


def test_a_request_is_described_without_its_query() -> None:
    url = f"https://management.azure.com{ID}?api-version=2025-03-03&$skiptoken=secret"
    assert request_attributes("PATCH", url) == {
        "gallery_replicator.operation": "write",
        "http.request.method": "PATCH",
        "url.template": VERSION,
        "server.address": "management.azure.com",
        "server.port": 443,
        "azure.resource_provider.namespace": "Microsoft.Compute",
    }
    assert request_attributes("GET", "http://127.0.0.1:7070/subscriptions")["server.port"] == 7070


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", str(ID), "read"),
        ("HEAD", str(ID), "read"),
        ("PUT", str(ID), "write"),
        ("PATCH", str(ID), "write"),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", "read"),
        ("POST", "/what/nobody/foresaw", "write"),
    ],
)
def test_a_call_counts_as_what_azure_counts_it_as(method: str, path: str, operation: str) -> None:
    found = request_attributes(method, f"https://management.azure.com{path}")
    assert found["gallery_replicator.operation"] == operation


@pytest.fixture
def stub() -> Iterator[StubArm]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def recording() -> Recording:
    return record()


@pytest.fixture
def gallery(stub: StubArm, recording: Recording) -> Iterator[ArmGallery]:
    endpoint = ArmEndpoint(url=stub.url, scope="unused", anonymous=True, read_timeout_s=2.0)
    clients = ArmClients(endpoint, telemetry=recording.telemetry)
    yield ArmGallery(clients)
    clients.close()


def test_a_call_is_a_client_span_under_the_work_that_made_it(
    gallery: ArmGallery, stub: StubArm, recording: Recording
) -> None:
    stub.answer(
        "GET", str(ID), Canned(body=version_body(), headers={"x-ms-request-id": "request-7"})
    )
    with recording.telemetry.span("process replication-jobs"):
        gallery.read(ID, shipped_catalog())
    call, work = recording.spans()
    attributes = dict(call.attributes or {})
    assert (call.name, call.kind.name) == (f"GET {VERSION}", "CLIENT")
    assert (call.parent, work.parent) == (work.get_span_context(), None)
    assert attributes["http.response.status_code"] == 200
    assert attributes["azure.service.request.id"] == "request-7"
    text = call.to_json()
    assert "api-version" not in text
    assert SUBSCRIPTION not in text
    (series,) = recording.telemetry.tally.figures().histograms[HTTP_DURATION]
    assert series[:5] == ("read", "GET", VERSION, "200", "127.0.0.1")


def test_a_refusal_and_a_broken_connection_are_counted_by_what_they_are(
    gallery: ArmGallery, stub: StubArm, recording: Recording
) -> None:
    refused = {"error": {"code": "TooManyRequests", "message": "slow down"}}
    stub.answer("GET", str(ID), Canned(status=429, body=refused), Canned(drop=True))
    with pytest.raises(ThrottledError):
        gallery.read(ID, shipped_catalog())
    with pytest.raises(TransientError):
        gallery.read(ID, shipped_catalog())
    known = recording.telemetry.tally.figures().histograms[HTTP_DURATION]
    outcomes = [(series[3], series[-1]) for series in known]
    assert outcomes[0] == ("429", "429")
    assert outcomes[1][0] == ""
    assert outcomes[1][1].endswith("Error")
