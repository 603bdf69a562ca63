"""The function app: its table of contents."""

import azure.functions as func

from handlers.dead_letters import blueprint as dead_letters
from handlers.events import blueprint as events
from handlers.http_api import blueprint as http_api
from handlers.jobs import blueprint as jobs
from handlers.timers import blueprint as timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(events)
app.register_functions(jobs)
app.register_functions(dead_letters)
app.register_functions(timers)
app.register_functions(http_api)
