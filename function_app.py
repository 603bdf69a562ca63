"""The function app: its table of contents."""

import os

import azure.functions as func

from handlers.events import blueprint as events
from handlers.http.access import http_auth_level
from handlers.http.acts import blueprint as actions_api
from handlers.http.costs import blueprint as costs_api
from handlers.http.dashboard import blueprint as dashboard
from handlers.http.dead_letters import blueprint as dead_letters_api
from handlers.http.metrics import blueprint as metrics
from handlers.http.not_found import blueprint as no_such_call
from handlers.http.replications import blueprint as http_api
from handlers.jobs import blueprint as jobs
from handlers.notices import blueprint as notices
from handlers.poison import blueprint as dead_letters
from handlers.timers import blueprint as timers

app = func.FunctionApp(http_auth_level=http_auth_level(os.environ))
app.register_functions(events)
app.register_functions(jobs)
app.register_functions(dead_letters)
app.register_functions(timers)
app.register_functions(http_api)
app.register_functions(costs_api)
app.register_functions(actions_api)
app.register_functions(dead_letters_api)
app.register_functions(metrics)
app.register_functions(notices)
app.register_functions(dashboard)
app.register_functions(no_such_call)
