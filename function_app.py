"""The function app: its table of contents."""

import os

import azure.functions as func

from handlers import events, jobs, poison, timers
from handlers.http import (
    access,
    actions,
    costs,
    dashboard,
    dead_letters,
    health,
    metrics,
    not_found,
    openapi,
    queues,
    replications,
)

app = func.FunctionApp(http_auth_level=access.http_auth_level(os.environ))
app.register_functions(events.blueprint)
app.register_functions(jobs.blueprint)
app.register_functions(poison.blueprint)
app.register_functions(timers.blueprint)
app.register_functions(health.blueprint)
app.register_functions(openapi.blueprint)
app.register_functions(replications.blueprint)
app.register_functions(queues.blueprint)
app.register_functions(dead_letters.blueprint)
app.register_functions(actions.blueprint)
app.register_functions(costs.blueprint)
app.register_functions(metrics.blueprint)
app.register_functions(dashboard.blueprint)
app.register_functions(not_found.blueprint)
