"""Functions that work for as long as they are told, in a thread or on the loop."""

import asyncio
import json
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _record(function: str) -> None:
    with Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"function": function}) + "\n")


@app.route(route="work")
def work(req: func.HttpRequest) -> str:
    for _ in range(int(float(req.params["for_s"]) / 0.1)):
        time.sleep(0.1)
    _record(req.params["as"])
    return "done"


@app.route(route="wait")
async def wait(req: func.HttpRequest) -> str:
    await asyncio.sleep(float(req.params["for_s"]))
    _record(req.params["as"])
    return "done"
