"""An app that cannot be imported."""

import azure.functions as func

app = func.FunctionApp()

raise RuntimeError("broken on purpose")
