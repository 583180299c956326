"""The variables for `pulumi`: the user's own choices win."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from environment import environment, has_own_backend
from stack import print_variables

if TYPE_CHECKING:
    from tests.unit.toolchain.conftest import Machine


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


def test_plugins_are_not_looked_for_elsewhere_when_they_are_built_here(machine: Machine) -> None:
    """With plugins that were built here Pulumi downloads none; otherwise it does as usual."""
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in environment()
    (machine.tools / "home").mkdir(parents=True)
    assert environment()["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment()["PULUMI_HOME"] == str(machine.tools / "home")


def test_what_clients_of_postgresql_read_reaches_no_plugin(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would go to another address, or end with an error; a shell of one's own loses the variables as well."""
    del machine
    for name in ("PGHOSTADDR", "PGREQUIREAUTH", "PGOPTIONS", "PGPASSFILE"):
        monkeypatch.setenv(name, "x")
    assert {name for name in environment() if name.startswith("PG")} == {"PGPASSFILE"}
    print_variables(environment())
    lines = capsys.readouterr().out.splitlines()
    assert {"unset PGHOSTADDR", "unset PGREQUIREAUTH", "unset PGOPTIONS"} <= set(lines)
    assert "unset PGPASSFILE" not in lines
