"""An Event Grid function that records what it gets and fails when told to."""

import json
import os
import threading
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
_lock = threading.Lock()
_both_here = threading.Barrier(2, timeout=20)


@app.event_grid_trigger(arg_name="event")
def listen(event: func.EventGridEvent) -> None:
    line = {"kind": type(event).__name__, "id": event.id, "data": event.get_json()}
    with _lock, Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    if event.id == "fail":
        raise RuntimeError("told to fail")
    if event.id.startswith("pair"):
        _both_here.wait()
