"""Timers: the sweep, the cost audit and the notices."""

import os

import azure.functions as func

from bootstrap import get_app
from replication.domain.limits import TIMER_MAX_RUN_S
from replication.domain.trace_context import TraceParent
from replication.gauges import log_state

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
def sweep(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the host passes it by name
    """Compare every image version in scope with its plan, as far as there is time."""
    app = get_app()
    invocation = TraceParent.read(context.trace_context.trace_parent)
    with app.ports.telemetry.span("sweep", parent=invocation):
        report = app.sweep_rounds.run()
        log_state(app.gauges.read())
        report.raise_if_incomplete()


@blueprint.function_name("cost_audit")
@blueprint.timer_trigger(arg_name="timer", schedule="%COST_AUDIT_SCHEDULE%", run_on_startup=False)
def cost_audit(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Write the books of the days that are over."""
    get_app().costs.ledger.audit(max_run_s=TIMER_MAX_RUN_S)


@blueprint.function_name("notices")
@blueprint.timer_trigger(arg_name="timer", schedule="%NOTICE_SCHEDULE%", run_on_startup=False)
def notices(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Tell the receivers what began to fail and what is over."""
    get_app().notices.run(site=os.environ.get("WEBSITE_HOSTNAME") or None)
