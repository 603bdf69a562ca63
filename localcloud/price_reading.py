"""Have the app's own command read the simulator's price list."""

import asyncio
import os
import sys
from pathlib import Path


class PricesNotReadError(Exception):
    """The command failed; the text is what it said."""


async def read_prices(*, arm_url: str, storage: str) -> None:
    """Run `costs refresh-prices` on a storage; raises PricesNotReadError."""
    command = Path(sys.executable).with_name("gallery-replicator")
    settings = {
        "AzureWebJobsStorage": storage,
        "AZURE_RESOURCE_MANAGER_URL": arm_url,
        "RETAIL_PRICES_URL": f"{arm_url}/api/retail/prices",
    }
    process = await asyncio.create_subprocess_exec(
        *(str(command), "costs", "refresh-prices"),
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        told = errors.decode(errors="replace").strip()
        raise PricesNotReadError(f"the prices were not read: {told}")
