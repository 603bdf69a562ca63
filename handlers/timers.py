"""The timers."""

import azure.functions as func

from replication.bootstrap import get_app

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Compare every image version in scope with its plan."""
    get_app().sweep.run().raise_if_incomplete()
