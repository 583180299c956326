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
from infra.server.embedded import service_account as module
from infra.server.embedded import spawn
from infra.server.embedded.account import Account
from infra.server.embedded.service_account import refuse_unreachable, service_account

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_ROOT = os.geteuid() == 0
NOBODY = Account("somebody", 64_000, 64_000, switch=True)


def test_an_ordinary_user_runs_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user's server runs as that user, whose own name is allowed in run_as."""
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    account = service_account()
    assert (account.name, account.switch) == ("nobody", False)
    assert service_account("nobody") == account


def test_ordinary_user_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another name is refused for an ordinary user."""
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    with pytest.raises(ServerError) as caught:
        service_account("root")
    assert str(caught.value) == "run_as root: only root can run a server as another user; leave run_as out"


def test_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id without a passwd entry (in a container) is its own name."""
    monkeypatch.setattr(os, "geteuid", lambda: 123_456)
    assert service_account().name == "123456"
    assert service_account("123456").name == "123456"


def test_root_does_not_run_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL refuses uid 0, so root is refused before anything is created."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ServerError) as caught:
        service_account("root")
    assert str(caught.value) == (
        "run_as root: PostgreSQL refuses to run as root; name an unprivileged user, or leave it out to have one created"
    )


def test_preview_makes_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing account is not created for a preview."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert service_account("surely-not-there", create=False) == Account("surely-not-there", -1, -1, switch=True)


def test_no_useradd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without useradd the message says what to do instead."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setitem(spawn.ENVIRONMENT, "PATH", "/nowhere")
    with pytest.raises(ServerError) as caught:
        service_account("surely-not-there")
    assert str(caught.value) == (
        "surely-not-there: this user does not exist, and there is no useradd to create it; "
        "create it with the system's own tools, and name it in run_as"
    )


def test_useradd_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of useradd is part of the error."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "_TRIES", 1)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    result = spawn.ProcessResult(1, "useradd: cannot lock /etc/passwd\n")
    monkeypatch.setattr(spawn, "run_command", lambda *_, **__: result)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(ServerError, match="this user cannot be created: useradd: cannot lock /etc/passwd"):
        service_account("surely-not-there")


@pytest.mark.skipif(not AS_ROOT, reason="only root makes users")
def test_root_gets_a_user_of_its_own() -> None:
    """The account that is created has no groups but its own, no home and no shell; a second call returns it."""
    name = f"test-pp-{os.getpid()}"
    try:
        account = service_account(name)
        entry = pwd.getpwnam(name)
        assert (account.uid, account.gid) == (entry.pw_uid, entry.pw_gid)
        assert (entry.pw_dir, Path(entry.pw_shell).name) == ("/nonexistent", "nologin")
        assert os.getgrouplist(name, entry.pw_gid) == [entry.pw_gid]
        assert 0 < entry.pw_uid < 1000
        assert service_account(name) == account
    finally:
        subprocess.run(["userdel", name], check=False, capture_output=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield a directory that every user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        directory.chmod(0o755)
        yield directory


def test_reachable(place: Path) -> None:
    """The first directory that the account may not enter is named; missing ones are not refused."""
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
    """For a directory of the account's group the permission of the group counts, not that of others."""
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


def test_the_caller_itself_is_not_checked(tmp_path: Path) -> None:
    """A directory that an account may not enter is refused only when root switches to that account."""
    tmp_path.chmod(0o700)
    base = tmp_path / "base"
    with pytest.raises(ServerError):
        refuse_unreachable(base, Account("me", 1, 1, switch=True), setting="data root")
    refuse_unreachable(base, Account("me", 1, 1, switch=False), setting="data root")
    assert not base.exists()
