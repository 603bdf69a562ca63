"""The function app: its table of contents."""

import os

import azure.functions as func

from handlers.access import http_auth_level
from handlers.actions_api import blueprint as actions_api
from handlers.costs_api import blueprint as costs_api
from handlers.dashboard import blueprint as dashboard
from handlers.dead_letters import blueprint as dead_letters
from handlers.dead_letters_api import blueprint as dead_letters_api
from handlers.events import blueprint as events
from handlers.http_api import blueprint as http_api
from handlers.jobs import blueprint as jobs
from handlers.metrics import blueprint as metrics
from handlers.no_such_call import blueprint as no_such_call
from handlers.notices import blueprint as notices
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
