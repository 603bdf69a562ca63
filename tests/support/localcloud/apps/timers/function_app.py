"""Timers: one at start, one by hand, one slower than its schedule."""

import json
import os
import threading
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
_lock = threading.Lock()


def _record(function: str, **more: object) -> None:
    with _lock, Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"function": function, **more}) + "\n")


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    _record("at_start", past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
def by_hand(timer: func.TimerRequest) -> None:
    _record("by_hand", past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
def slow(timer: func.TimerRequest) -> None:
    _record("slow", step="begins", past_due=timer.past_due)
    time.sleep(1.5)
    _record("slow", step="ends")
