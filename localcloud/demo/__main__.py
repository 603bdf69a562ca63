"""Entry point of `python -m localcloud.demo`."""

import asyncio
import sys

from localcloud.demo.story import run_demo

if __name__ == "__main__":
    sys.exit(asyncio.run(run_demo()))
