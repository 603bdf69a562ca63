"""Release: what runs, told without the metadata that only an installed package has."""

import re
from functools import cache
from pathlib import Path

RELEASE = "0.1.0"
# Written by `make package` and by `git archive`; in a checkout it holds no commit.
COMMIT_FILE = Path(__file__).with_name("commit.txt")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@cache
def release() -> str:
    """Return the release, and the commit where it is known: `1.2.3` or `1.2.3+0123456789ab`."""
    commit = read_commit(COMMIT_FILE)
    return f"{RELEASE}+{commit[:12]}" if commit else RELEASE


def read_commit(file: Path) -> str:
    """Return the commit that a file names; an empty text where there is none."""
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return text if _COMMIT.fullmatch(text) else ""
