"""The key that opens functions outside development: the user's own, or one made at start."""

import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from localcloud.functions.app_settings import is_development
from localcloud.functions.errors import HostStartError

SETTING = "LOCALCLOUD_FUNCTIONS_KEY"
KEY_FILE = "functions.key"


def access_key(settings: Mapping[str, str], state_dir: Path) -> str | None:
    """Return the key that callers must show; None in development, where Core Tools asks none.

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


def opens(key: str | None, offered: str | None) -> bool:
    """Compare in constant time; without a key everything is open."""
    if key is None:
        return True
    # A header may hold what is no UTF-8.
    sent = (offered or "").encode("utf-8", "surrogatepass")
    return bool(sent) and hmac.compare_digest(key.encode(), sent)
