"""A function with an output binding that the local host does not serve."""

import azure.functions as func

app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
@app.queue_output(arg_name="out", queue_name="results", connection="AzureWebJobsStorage")
def produce(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set(str(timer.past_due))
