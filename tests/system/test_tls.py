"""Resource Manager over https, for the vendor's clients as they come: unpatched, with a token."""

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import Gallery

from tests.support.builders import SUBSCRIPTION
from tests.support.localcloud.instances import StartPart


class Token:
    """A credential that any issuer could have given out."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a.b.c", int(time.time()) + 3600)


def client_of(address: str, **options: Any) -> ComputeManagementClient:
    return ComputeManagementClient(Token(), SUBSCRIPTION, base_url=address, **options)


def galleries(address: str, **options: Any) -> list[Gallery]:
    with client_of(address, retry_total=0, **options) as client:
        return list(client.galleries.list())


def make_group(ready: Mapping[str, Any]) -> None:
    url = f"{ready['arm']}/subscriptions/{SUBSCRIPTION}/resourcegroups/rg?api-version=2021-04-01"
    request = Request(  # noqa: S310 - of this machine
        url,
        method="PUT",
        data=b'{"location": "eastus"}',
        headers={"Content-Type": "application/json", "Authorization": "Bearer a.b.c"},
    )
    context = ssl.create_default_context(cafile=ready["ca"])
    with urlopen(request, context=context) as answer:  # noqa: S310 - likewise
        assert answer.status == 201


def test_an_unpatched_client_trusts_the_authority_of_the_ready_line(start: StartPart) -> None:
    ready = start("arm", "--port", "0", "--tls")
    assert ready["arm"].startswith("https://127.0.0.1:")
    assert galleries(ready["arm"], connection_verify=ready["ca"]) == []


def test_without_that_authority_nobody_trusts_it(start: StartPart) -> None:
    ready = start("arm", "--port", "0", "--tls")
    with pytest.raises(ServiceRequestError, match="certificate verify failed"):
        galleries(ready["arm"])


def test_the_ready_line_names_an_authority_only_with_tls(start: StartPart) -> None:
    assert "ca" not in start("arm", "--port", "0")


def test_a_write_is_followed_to_its_end_over_https(start: StartPart) -> None:
    ready = start("arm", "--port", "0", "--tls")
    make_group(ready)
    with client_of(ready["arm"], connection_verify=ready["ca"], polling_interval=0) as client:
        made = client.galleries.begin_create_or_update("rg", "labs", Gallery(location="eastus"))
        assert made.result().name == "labs"
        assert [one.name for one in client.galleries.list()] == ["labs"]
    assert Path(ready["ca"]).read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE")


def test_over_https_a_call_without_a_token_is_401(start: StartPart) -> None:
    ready = start("arm", "--port", "0", "--tls")
    url = f"{ready['arm']}/subscriptions/{SUBSCRIPTION}?api-version=2022-12-01"
    context = ssl.create_default_context(cafile=ready["ca"])
    with pytest.raises(HTTPError) as refused:
        urlopen(url, context=context)  # noqa: S310 - of this machine
    with refused.value as answer:
        assert answer.code == 401
