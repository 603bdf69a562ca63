"""The keys that callers show outside development: the user's own, or one made at start."""

import base64
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Self

from localcloud.functions.app_settings import is_development
from localcloud.functions.errors import HostStartError

SETTING = "LOCALCLOUD_FUNCTIONS_KEY"
KEY_FILE = "functions.key"


class Level(Enum):
    """What a key has to be good for."""

    ANONYMOUS = auto()
    FUNCTION = auto()
    ADMIN = auto()
    SYSTEM = auto()
    MASTER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The host key, the system key of the Event Grid webhook, and the master key.

    The last two follow from the first, so that all hosts and the local Event Grid know them.
    """

    host: str
    system: str
    master: str

    @classmethod
    def of(cls, host_key: str) -> Self:
        """Return the keys that belong to a host key."""
        return cls(
            host=host_key,
            system=_derived(host_key, "eventgrid_extension"),
            master=_derived(host_key, "_master"),
        )

    def refusal(self, offered: str, level: Level) -> int | None:
        """Return None for a key that opens, else the status with which the host refuses it.

        As recorded: a good key of the wrong kind is 403 for the host's own calls, else 401.
        """
        if level is Level.ANONYMOUS or _same(self.master, offered):
            return None
        is_host, is_system = _same(self.host, offered), _same(self.system, offered)
        if (level is Level.FUNCTION and is_host) or (level is Level.SYSTEM and is_system):
            return None
        if level in (Level.SYSTEM, Level.MASTER) and (is_host or is_system):
            return HTTPStatus.FORBIDDEN
        return HTTPStatus.UNAUTHORIZED


def open_keys(settings: Mapping[str, str], state_dir: Path) -> Keys | None:
    """Return the keys; None in development, where Core Tools ask for none."""
    key = access_key(settings, state_dir)
    return None if key is None else Keys.of(key)


def access_key(settings: Mapping[str, str], state_dir: Path) -> str | None:
    """Return the host key; None in development.

    A generated key is kept in the state directory, readable by its owner alone, and shared by
    the hosts started with the same directory. It is never logged.
    """
    if is_development(settings):
        return None
    if settings.get(SETTING):
        return settings[SETTING]
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / KEY_FILE
    # Written beside and linked into place, so that no host ever reads half a key.
    draft = state_dir / f".{KEY_FILE}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise HostStartError(f"{path} is empty, and would let everybody in; delete it")
    return key


def _derived(key: str, name: str) -> str:
    digest = hmac.digest(key.encode("utf-8", "surrogatepass"), name.encode(), sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _same(key: str, offered: str) -> bool:
    # A header may hold what is no UTF-8.
    sent = offered.encode("utf-8", "surrogatepass")
    return bool(sent) and hmac.compare_digest(key.encode("utf-8", "surrogatepass"), sent)
