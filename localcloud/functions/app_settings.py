"""The app's settings: the environment, filled up from local.settings.json as Core Tools does.

An app that has none of its own yet starts with the values of local.settings.sample.json.
"""

import json
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from localcloud.functions.errors import HostStartError, RefusedFunctionError

_PLACEHOLDER = re.compile(r"%([^%]+)%")
ENVIRONMENT = "AZURE_FUNCTIONS_ENVIRONMENT"
# Set in Azure, and in many a container in which somebody develops.
_CONTAINER = "CONTAINER_NAME"
# Set by a platform; with one of them the machine is no developer's.
_PLATFORM = (
    *("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_HOSTNAME", "WEBSITE_POD_NAME"),
    *("LEGION_SERVICE_HOST", "KUBERNETES_SERVICE_HOST", "CONTAINER_APP_NAME"),
)


def prepare_environment(app_dir: Path, environ: MutableMapping[str, str]) -> None:
    """Set what Core Tools sets, without overriding anything that is there already."""
    for name, value in read_local_settings(app_dir).items():
        # AzureWebJobsStorage__accountName and the like say it in another way.
        if not any(known.startswith(f"{name}__") for known in environ):
            environ.setdefault(name, value)
    # The app would take the name for Azure's, and a key would be asked for on this machine.
    environ.pop(_CONTAINER, None)
    environ.setdefault(ENVIRONMENT, "Development")
    environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    environ.setdefault("FUNCTIONS_WORKER_RUNTIME_VERSION", "3.13")
    environ.setdefault("FUNCTIONS_EXTENSION_VERSION", "~4")
    environ["AzureWebJobsScriptRoot"] = str(app_dir)


def read_local_settings(app_dir: Path) -> dict[str, str]:
    """Read `Values` of local.settings.json, or of the sample; absent files are empty ones."""
    path = app_dir / "local.settings.json"
    if not path.is_file():
        path = app_dir / "local.settings.sample.json"
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise HostStartError(f"{path} is not JSON: {error}") from None
    values = document.get("Values", {}) if isinstance(document, dict) else None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise HostStartError(f'{path}: "Values" must map setting names to strings')
    if document.get("IsEncrypted"):
        raise HostStartError(f"{path} is encrypted; decrypt it or delete it")
    return values


def resolve(text: str, settings: Mapping[str, str], *, where: str) -> str:
    """Put settings in place of `%NAME%`; raise RefusedFunctionError for one that is missing."""

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if not settings.get(name):
            raise RefusedFunctionError(f"{where} uses %{name}%, but the setting {name} is not set")
        return settings[name]

    return _PLACEHOLDER.sub(value_of, text)


def is_development(settings: Mapping[str, str]) -> bool:
    """Tell whether callers need no key; where a platform runs it, it is no developer's machine."""
    named = settings.get(ENVIRONMENT, "").strip().lower() == "development"
    return named and not any(settings.get(name) for name in _PLATFORM)


def is_disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Tell whether `AzureWebJobs.<function>.Disabled` (or with `_`) switches a function off."""
    names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
    folded = {name.lower() for name in names}
    return any(
        value.lower() in ("true", "1") for name, value in settings.items() if name.lower() in folded
    )
