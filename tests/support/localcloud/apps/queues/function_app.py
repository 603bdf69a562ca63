"""A queue function that does what its message says, and one on its poison queue."""

import json
import os
import threading
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
_lock = threading.Lock()
_running = 0


def _record(function: str, message: func.QueueMessage, **more: object) -> None:
    _write(
        function=function,
        body=message.get_body().decode(),
        id=message.id,
        dequeue_count=message.dequeue_count,
        **more,
    )


def _write(**line: object) -> None:
    with _lock, Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
def work(msg: func.QueueMessage) -> None:
    global _running  # noqa: PLW0603 - counts the parallel calls
    with _lock:
        _running += 1
        running = _running
    inserted_at = msg.insertion_time
    _record(
        "work",
        msg,
        running=running,
        inserted=inserted_at.isoformat() if inserted_at else None,
        at=time.time(),
    )
    try:
        body = json.loads(msg.get_body())
        time.sleep(body.get("sleep_s", 0))
        if body.get("fail"):
            raise RuntimeError("told to fail")
    finally:
        with _lock:
            _running -= 1
    _record("work-end", msg)


@app.queue_trigger(
    arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection="AzureWebJobsStorage"
)
def buried(msg: func.QueueMessage) -> None:
    _record("buried", msg)


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def hold(req: func.HttpRequest) -> str:
    _write(function="hold")
    time.sleep(float(req.params["for_s"]))
    return "held"
