"""The timers."""

import azure.functions as func

from replication.bootstrap import get_app

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Compare every image version in scope with its plan."""
    get_app().sweep.run().raise_if_incomplete()


@blueprint.function_name("cost_audit")
@blueprint.timer_trigger(arg_name="timer", schedule="%COST_AUDIT_SCHEDULE%", run_on_startup=False)
def cost_audit(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by name
    """Write the books of the days that are over."""
    from costs.opening import open_costs  # noqa: PLC0415 - only the audit needs DuckDB

    open_costs(get_app()).ledger.audit()
