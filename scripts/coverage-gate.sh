#!/bin/sh
# Fails unless the whole project is covered by 90 % and every branch of the pure core is.
set -eu

cd "$(dirname "$0")/.."

# The pure core: the modules and packages of the import contract of that name.
core=$(.venv/bin/python - <<'END'
import tomllib
from pathlib import Path

with Path("pyproject.toml").open("rb") as file:
    contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
(core,) = (one for one in contracts if one["name"] == "The core decides, and does nothing else")
paths = [Path(*name.split(".")) for name in core["source_modules"]]
print(",".join(f"{path}/*" if path.is_dir() else f"{path}.py" for path in paths))
END
)

.venv/bin/coverage report --fail-under=90 --skip-covered

echo "Pure core, every branch:"
.venv/bin/coverage report --fail-under=100 --include="$core"
