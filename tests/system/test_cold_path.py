"""Loading the function app loads nothing that only the audit, the pages or the terminal need."""

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "jinja2", "pygal", "rich", "typer", "pytest", "localcloud")
LOADED = """
import json, sys
import function_app
names = [one.get_function_name() for one in function_app.app.get_functions()]
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_the_function_app_loads_no_library_of_the_audit() -> None:
    ran = subprocess.run(  # noqa: S603 - this interpreter and a program of our own
        [sys.executable, "-c", LOADED], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    functions, modules = json.loads(ran.stdout)
    assert "api_costs" in functions
    assert [name for name in HEAVY if name in modules] == []
