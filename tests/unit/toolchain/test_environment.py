"""The state's place and the variables for `pulumi`: the user's own choices win."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import local_state
import pytest
from environment import environment, has_own_backend
from parts import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.toolchain.conftest import Machine


def test_without_a_backend_the_state_is_the_checkouts_own(machine: Machine) -> None:
    """The passphrase is random, created once, and readable by its owner alone, as the folder is."""
    first = environment()
    file = machine.state / "passphrase"
    assert first["PULUMI_BACKEND_URL"] == f"file://{machine.state}/backend?metadata=skip"
    assert first["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.state.stat().st_mode) == 0o700
    passphrase = file.read_text()
    assert len(passphrase) >= 32
    assert environment() == first
    assert file.read_text() == passphrase


@pytest.mark.parametrize("variable", ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"])
def test_a_users_backend_wins(machine: Machine, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A variable that names a backend stays as it is, and no local state is created."""
    monkeypatch.setenv(variable, "mine")
    assert has_own_backend()
    assert environment()[variable] == "mine"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment()
    assert not machine.state.exists()


def test_a_login_wins(machine: Machine) -> None:
    """A user who is logged in somewhere keeps the state there; a logout, or a broken file, is no login."""
    credentials = machine.home / ".pulumi" / "credentials.json"
    credentials.parent.mkdir()
    credentials.write_text(json.dumps({"current": "s3://bucket"}))
    assert has_own_backend()
    credentials.write_text(json.dumps({"current": ""}))
    assert not has_own_backend()
    credentials.write_text("{")
    assert not has_own_backend()


def test_a_users_passphrase_wins(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase in the environment is the one that is used."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment()
    assert machine.state.exists()


def test_plugins_are_not_looked_for_elsewhere_when_they_are_built_here(machine: Machine) -> None:
    """With plugins that were built here Pulumi downloads none; otherwise it does as usual."""
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in environment()
    (machine.tools / "home").mkdir(parents=True)
    assert environment()["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment()["PULUMI_HOME"] == str(machine.tools / "home")


def test_a_stack_without_a_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped stack is refused and not created; the message says which file to copy."""
    monkeypatch.setattr(local_state, "ROOT", tmp_path)
    with pytest.raises(SetupError, match=r"Pulumi\.deev\.yaml does not exist; copy Pulumi\.dev\.yaml to it"):
        local_state.ensure_stack("deev", {})
