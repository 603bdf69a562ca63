"""Exports over the real parts, with every switch of what was inferred in its other position."""

import asyncio

import pytest

from localcloud.lab_export import export_image
from tests.support.localcloud.arm import Arm
from tests.support.localcloud.hosts import eventually
from tests.support.localcloud.instances import StartApp, StartPart
from tests.support.localcloud.wire_facts import FACTS


@pytest.mark.slow
def test_an_export_ends_well_whichever_of_two_answers_azure_gives(
    start: StartPart, start_app: StartApp
) -> None:
    arm = Arm(str(start("arm", "--port", "0", "--time-scale", "2000")["arm"]))
    app = start_app(arm_url=arm.url)
    arm.control("PUT", "events", {"url": app.webhook})
    switches = [one.switch for one in FACTS if one.switch]
    for number, switch in enumerate(switches):
        usual = arm.control("PUT", switch.call, {})[switch.name]
        arm.control("PUT", switch.call, {switch.name: switch.value})
        image = f"image-{number}"
        written = asyncio.run(export_image(arm_url=arm.url, image=image, region="northeurope"))

        def done(version_id: str = written.id) -> bool:
            one = app.replication_of(version_id)
            return one is not None and one["phase"] == "succeeded"

        eventually(done)
        arm.control("PUT", switch.call, {switch.name: usual})
