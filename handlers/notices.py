"""The timer that tells of failures."""

import os

import azure.functions as func

from bootstrap.adapters import get_app

blueprint = func.Blueprint()


@blueprint.function_name("notices")
@blueprint.timer_trigger(arg_name="timer", schedule="%NOTICE_SCHEDULE%", run_on_startup=False)
def notices(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Tell the receivers what began to fail and what is over."""
    get_app().notices.run(site=os.environ.get("WEBSITE_HOSTNAME") or None)
