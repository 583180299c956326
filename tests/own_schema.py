"""Runs the tests in a copy of this checkout that has another schema: `python -m tests.own_schema [pytest's arguments]`.

The copy is of the last commit. What is this project's own is removed, as docs/your-own-schema.md says, and the files of
that page are put in its place; then its modules, pictures and documents are written, and the tests run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/your-own-schema.md"
_REMOVED = re.compile(r"^git rm -r -q (.*)$", re.MULTILINE)
_FILE = re.compile(r"`([\w./-]+)`[^`]*:\n\n```(?:yaml|python|sql)\n(.*?)```", re.DOTALL)
_LINKED = (".venv", ".tools")
_WRITTEN = ("generate", "diagram", "docs")


def page_files() -> dict[str, str]:
    """Return the files that the page shows, by name."""
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


def write_page_files(folder: Path) -> None:
    """Write the files that the page shows below a folder."""
    for name, content in page_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _make_copy(folder: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    removed = " ".join(_REMOVED.findall(PAGE.read_text(encoding="utf-8"))).split()
    subprocess.run(["git", "rm", "-r", "-q", *removed], cwd=folder, check=True)
    for name in _LINKED:
        (folder / name).symlink_to((ROOT / name).resolve())
    write_page_files(folder)
    for command in _WRITTEN:
        subprocess.run([sys.executable, "-m", "infra", command], cwd=folder, check=True)


def main(arguments: list[str]) -> int:
    """Make the copy, run the tests in it, and remove it; return pytest's exit status."""
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-own-schema-")) / "checkout"
    try:
        _make_copy(folder)
        command = [sys.executable, "-m", "pytest", *(arguments or ["-n", "auto"])]
        return subprocess.run(command, cwd=folder, check=False).returncode
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
