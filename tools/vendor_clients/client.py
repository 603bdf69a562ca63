"""One generation of azure-mgmt-compute: a gallery, an image and a version, from first to last.

Runs in an environment of its own, which has nothing but the vendor's packages.
"""

import os
import time
from typing import Any

from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient


class Token:
    """A credential that any issuer could have given out."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a.b.c", int(time.time()) + 3600)


def main() -> None:
    """Make them, change the list of regions, and delete the version."""
    subscription, group, source = os.environ["SUBSCRIPTION"], "rg", os.environ["SOURCE"]
    # Generations differ in their types, and take JSON alike.
    client: Any = ComputeManagementClient(
        Token(),
        subscription,
        base_url=os.environ["ARM"],
        connection_verify=os.environ["CA"],
        polling_interval=0.2,
    )
    client.galleries.begin_create_or_update(group, "labs", {"location": "eastus"}).result()
    image = {
        "location": "eastus",
        "properties": {
            "osType": "Windows",
            "osState": "Generalized",
            "hyperVGeneration": "V2",
            "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
        },
    }
    client.gallery_images.begin_create_or_update(group, "labs", "win", image).result()
    regions = [{"name": "East US"}]
    version = {
        "location": "eastus",
        "properties": {
            "publishingProfile": {"targetRegions": regions},
            "storageProfile": {"source": {"id": source}},
        },
    }
    versions = client.gallery_image_versions
    versions.begin_create_or_update(group, "labs", "win", "1.0.0", version).result()
    update = {
        "properties": {
            "publishingProfile": {"targetRegions": [*regions, {"name": "West US"}]},
            "storageProfile": {},
        }
    }
    versions.begin_update(group, "labs", "win", "1.0.0", update).result()
    seen = versions.get(group, "labs", "win", "1.0.0", expand="ReplicationStatus")
    names = sorted(one.name for one in seen.publishing_profile.target_regions)
    assert names == ["East US", "West US"], names
    states = {one.state for one in seen.replication_status.summary}
    assert states == {"Completed"}, states
    assert [one.name for one in versions.list_by_gallery_image(group, "labs", "win")] == ["1.0.0"]
    versions.begin_delete(group, "labs", "win", "1.0.0").result()
    assert list(versions.list_by_gallery_image(group, "labs", "win")) == []


if __name__ == "__main__":
    main()
