"""Tests for the account that runs a server, and for what it can reach."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import ServerError
from infra.server.embedded import account as module
from infra.server.embedded import spawn
from infra.server.embedded.account import Account, account, refuse_unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_ROOT = os.geteuid() == 0
NOBODY = Account("somebody", 64_000, 64_000, switch=True)


def test_ordinary_user_is_oneself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user runs the server itself, and may say so by name."""
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    found = account()
    assert (found.name, found.switch) == ("nobody", False)
    assert account("nobody") == found


def test_ordinary_user_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another name is refused for an ordinary user."""
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    with pytest.raises(ServerError) as caught:
        account("root")
    assert str(caught.value) == "run_as root: only root can run a server as another user; leave run_as out"


def test_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id that no passwd entry names (in a container) stands for itself."""
    monkeypatch.setattr(os, "geteuid", lambda: 123_456)
    assert account().name == "123456"
    assert account("123456").name == "123456"


def test_root_does_not_run_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL refuses uid 0, so this is said before anything is made."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ServerError) as caught:
        account("root")
    assert str(caught.value) == (
        "run_as root: PostgreSQL refuses to run as root; name an unprivileged user, or leave it out to have one made"
    )


def test_preview_makes_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing account is made only when a server is about to need it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert account("surely-not-there", make=False) == Account("surely-not-there", -1, -1, switch=True)


def test_no_useradd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no useradd, the sentence says what to do instead."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setitem(spawn.ENVIRONMENT, "PATH", "/nowhere")
    with pytest.raises(ServerError) as caught:
        account("surely-not-there")
    assert str(caught.value) == (
        "surely-not-there: this user does not exist, and there is no useradd to make it; "
        "make it with the system's own means, and name it in run_as"
    )


def test_useradd_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What useradd says is handed on."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "_TRIES", 1)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    said = spawn.ProcessResult(1, "useradd: cannot lock /etc/passwd\n")
    monkeypatch.setattr(spawn, "run_command", lambda *_, **__: said)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(ServerError, match="this user cannot be made: useradd: cannot lock /etc/passwd"):
        account("surely-not-there")


@pytest.mark.skipif(not AS_ROOT, reason="only root makes users")
def test_root_gets_a_user_of_its_own() -> None:
    """The account that is made has no groups but its own, no home and no shell; asking again finds it."""
    name = f"test-pp-{os.getpid()}"
    try:
        made = account(name)
        entry = pwd.getpwnam(name)
        assert (made.uid, made.gid) == (entry.pw_uid, entry.pw_gid)
        assert (entry.pw_dir, Path(entry.pw_shell).name) == ("/nonexistent", "nologin")
        assert os.getgrouplist(name, entry.pw_gid) == [entry.pw_gid]
        assert 0 < entry.pw_uid < 1000
        assert account(name) == made
    finally:
        subprocess.run(["userdel", name], check=False, capture_output=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory that everybody can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        directory.chmod(0o755)
        yield directory


def test_reachable(place: Path) -> None:
    """The first closed directory on the way is named; those that do not exist yet are no obstacle."""
    closed = place / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(ServerError) as caught:
        refuse_unreachable(closed / "inner" / "base", NOBODY, setting="data root")
    assert str(caught.value) == (
        f"{closed}: is not reachable for user somebody, which runs the server; set data root to a directory outside it"
    )
    closed.chmod(0o711)
    refuse_unreachable(closed / "missing" / "base", NOBODY, setting="data root")


def test_reachable_by_group(place: Path) -> None:
    """For the account's own group, the group's right to pass counts and nobody else's."""
    group = Account("somebody", 64_000, place.stat().st_gid, switch=True)
    place.chmod(0o701)
    with pytest.raises(ServerError, match=f"{place}: is not reachable"):
        refuse_unreachable(place / "base", group, setting="data root")
    place.chmod(0o710)
    refuse_unreachable(place / "base", group, setting="data root")


@pytest.mark.skipif(not AS_ROOT, reason="only root gives directories away")
def test_base_below_the_accounts_own_directory(place: Path) -> None:
    """A directory that the account owns is refused: it could put links where root writes."""
    os.chown(place, NOBODY.uid, NOBODY.gid)
    with pytest.raises(ServerError) as caught:
        refuse_unreachable(place / "base", NOBODY, setting="data root")
    assert str(caught.value) == (
        f"{place}: belongs to somebody, who could replace what root writes there; "
        "set data root to a directory below one that root owns"
    )


def test_oneself_reaches_everything(tmp_path: Path) -> None:
    """A directory closed to an account is refused to who changes to it, and is of no concern to who stays himself."""
    tmp_path.chmod(0o700)
    base = tmp_path / "base"
    with pytest.raises(ServerError):
        refuse_unreachable(base, Account("me", 1, 1, switch=True), setting="data root")
    refuse_unreachable(base, Account("me", 1, 1, switch=False), setting="data root")
    assert not base.exists()
