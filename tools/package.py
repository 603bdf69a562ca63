"""Package: the zip that goes into Azure, of what `.funcignore` lets in (`make package`).

The commit is written into it, where all that goes in is as committed.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from pathspec import GitIgnoreSpec

from replication.telemetry.release import COMMIT_FILE

PROJECT = Path(__file__).parents[1]
ZIP = PROJECT / "build" / "gallery-replicator.zip"


def packed_files(root: Path) -> list[str]:
    """Return the paths that `.funcignore` of a folder lets in; nothing below what it keeps out."""
    lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    spec = GitIgnoreSpec.from_lines(lines)

    def let_in(folder: Path) -> Iterator[str]:
        for path in folder.iterdir():
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                if not spec.match_file(f"{name}/"):
                    yield from let_in(path)
            elif not spec.match_file(name):
                yield name

    return sorted(let_in(root))


def commit_of(root: Path, files: list[str]) -> str:
    """Return the commit that holds these files as they are; an empty text if none does."""
    changed = _git(root, "status", "--porcelain", "--ignored", "--", *files)
    return "" if changed else _git(root, "rev-parse", "HEAD") or ""


def write_package(root: Path, target: Path, *, commit: str) -> None:
    """Write the zip; `commit` goes into it where there is one."""
    commit_file = COMMIT_FILE.relative_to(PROJECT).as_posix()
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w", ZIP_DEFLATED) as package:
        for name in packed_files(root):
            if name == commit_file and commit:
                package.writestr(name, f"{commit}\n")
            else:
                package.write(root / name, name)


def _git(root: Path, *words: str) -> str | None:
    command = ["git", "-C", str(root), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - git
    return ended.stdout.strip() if ended.returncode == 0 else None


def main() -> None:
    """Write the package of this project and say what it is."""
    commit = commit_of(PROJECT, packed_files(PROJECT))
    write_package(PROJECT, ZIP, commit=commit)
    told = commit or "no commit: what goes in is not as committed"
    sys.stdout.write(f"{ZIP.relative_to(PROJECT)} ({told})\n")


if __name__ == "__main__":
    main()
