"""Stacks in a backend of the user's own: a checkout without the salt of a stack's secrets gets that of the state."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import own_backend
import parts
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.toolchain.conftest import Machine

SALT = "v1:aaaa=:v1:bbbb:cccc"
OF_PASSPHRASE = {"type": "passphrase", "state": {"salt": SALT}}
SETTINGS = "config:\n  shop:name: prod\n"


@pytest.fixture
def settings(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a stack whose secrets a passphrase encrypts; `pulumi` exports its state."""
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    exported(machine, OF_PASSPHRASE)
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(SETTINGS)
    return file


def exported(machine: Machine, provider: object) -> None:
    """Write a `pulumi` that exports a state with a provider of secrets."""
    state = json.dumps({"version": 3, "deployment": {"secrets_providers": provider}})
    machine.program("pulumi", f"[ $2 = export ] && echo '{state}'")


@pytest.mark.parametrize("stack", ["prod", "organization/shop/prod"])
def test_the_salt_is_that_of_the_state(settings: Path, stack: str) -> None:
    """The line is added once; what the file has otherwise stays."""
    for _ in range(2):
        own_backend.restore_salt(stack, dict(os.environ))
        assert settings.read_text() == f"{SETTINGS}encryptionsalt: {SALT}\n"


@pytest.mark.parametrize("line", ["encryptionsalt: v1:mine", "secretsprovider: awskms://alias/shop"])
def test_a_file_that_says_how_its_secrets_are_encrypted_stays(settings: Path, line: str) -> None:
    """A salt that was committed, or another provider."""
    settings.write_text(f"{SETTINGS}{line}\n")
    own_backend.restore_salt("prod", dict(os.environ))
    assert settings.read_text() == f"{SETTINGS}{line}\n"


@pytest.mark.parametrize("provider", [{"type": "service", "state": {"url": "x"}}, {"type": "cloud"}, None])
def test_without_a_passphrase_nothing_is_written(machine: Machine, settings: Path, provider: object) -> None:
    """Secrets that a service encrypts, and a state that has none; likewise where `pulumi` fails."""
    exported(machine, provider)
    own_backend.restore_salt("prod", dict(os.environ))
    machine.program("pulumi", "exit 255")
    own_backend.restore_salt("prod", dict(os.environ))
    assert settings.read_text() == SETTINGS
