"""The product stands without the vendor's packages."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
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


def modules() -> list[str]:
    paths = sorted((ROOT / "replication").rglob("*.py")) + sorted((ROOT / "costs").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    vendor = ("costs.azure", "bootstrap.costs", "replication.azure", "bootstrap.adapters")
    return [name.removesuffix(".__init__") for name in names if not name.startswith(vendor)]


def run(*names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter and a program of our own
        [sys.executable, "-c", PROGRAM, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_everything_but_the_adapters_and_bootstrap_imports_without_azure() -> None:
    assert len(modules()) > 25
    ended = run(*modules())
    assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr


def test_the_adapters_do_need_azure() -> None:
    ended = run("replication.azure.arm.gallery")
    assert ended.returncode == 1
    assert "is refused here" in ended.stderr
