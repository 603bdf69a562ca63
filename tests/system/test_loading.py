"""What a process loads, and what it stands without: vendors, the audit, telemetry, pydantic."""

import json
import subprocess
import sys

import pytest

from tests.support.documents import PROJECT

HEAVY = ("duckdb", "jinja2", "pygal", "rich", "typer", "pytest", "localcloud")
NO_AZURE = """
import importlib, sys

class NoAzure:
    def find_spec(self, name, path=None, target=None):
        if name == "azure" or name.startswith("azure."):
            raise ModuleNotFoundError(f"{name} is refused here")

sys.meta_path.insert(0, NoAzure())
for name in sys.argv[1:]:
    importlib.import_module(name)
print(sorted(one for one in sys.modules if one.split(".")[0] == "azure"))
"""
FUNCTION_APP = """
import json, sys
import function_app
names = [one.get_function_name() for one in function_app.app.get_functions()]
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
NO_TELEMETRY = """
import sys, bootstrap as b, handlers.http.metrics
b.open_telemetry({})
heavy = ("opentelemetry.sdk", "prometheus_client", "google.protobuf", "duckdb")
print([one for one in heavy if one in sys.modules])
"""
COMMAND_LINE = """
import sys, cli.main
slow = {"azure", "duckdb", "jinja2", "pydantic", "tenacity", "yaml"}
print([name for name in sys.modules if name.partition(".")[0] in slow])
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter and a program of our own
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def modules() -> list[str]:
    paths = sorted(
        path for folder in ("replication", "costs") for path in (PROJECT / folder).rglob("*.py")
    )
    names = [".".join(path.relative_to(PROJECT).with_suffix("").parts) for path in paths]
    vendor = ("costs.azure", "replication.azure")
    return [name.removesuffix(".__init__") for name in names if not name.startswith(vendor)]


def test_everything_but_the_adapters_and_bootstrap_imports_without_azure() -> None:
    assert len(modules()) > 25
    ended = run(NO_AZURE, *modules())
    assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr


def test_the_adapters_do_need_azure() -> None:
    ended = run(NO_AZURE, "replication.azure.arm.gallery")
    assert ended.returncode == 1
    assert "is refused here" in ended.stderr


def test_the_function_app_loads_no_library_of_the_audit() -> None:
    functions, loaded = json.loads(run(FUNCTION_APP).stdout)
    assert "api_costs" in functions
    assert [name for name in HEAVY if name in loaded] == []


@pytest.mark.parametrize("program", [NO_TELEMETRY, COMMAND_LINE], ids=["telemetry", "cli"])
def test_what_is_not_asked_for_is_not_loaded(program: str) -> None:
    ended = run(program)
    assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr


@pytest.mark.parametrize("module", ["replication.codec", "replication.records.job_codec"])
def test_pydantic_is_loaded_with_the_first_document_and_not_before(module: str) -> None:
    ended = run(f"import sys, {module}; print('pydantic' in sys.modules)")
    assert (ended.returncode, ended.stdout.strip()) == (0, "False"), ended.stderr
