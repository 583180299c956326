"""What psql and `accept` are given of a stack's outputs: a server of its own has to prove that it is that one."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import outputs
import pytest

DSN = "postgresql://m:p@127.0.0.1:1/shop"
CONNECTED = {"connections": {"shop": {"migrator": {"PGUSER": "m"}}}, "dsn": {"shop": {"migrator": DSN}}}


@pytest.mark.parametrize(
    ("server", "asked"),
    [({"log_file": "/x/server.log"}, True), ({"container": "x"}, True), ({"server_version": "17"}, False)],
)
def test_whoever_else_listens_on_the_port_is_told_no_password(
    monkeypatch: pytest.MonkeyPatch, server: dict[str, str], *, asked: bool
) -> None:
    """They demand SCRAM, in which no password is sent, of an embedded server and of one in a container."""
    given: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], **_further: object) -> subprocess.CompletedProcess[str]:
        given.append(env)
        return subprocess.CompletedProcess([], 0)

    def execute(_program: str, _arguments: list[str], environment: dict[str, str]) -> None:
        given.append(environment)

    def read(*_: object) -> dict[str, Any]:
        return {**CONNECTED, **server, "psql": "/x/psql"}

    monkeypatch.delenv("DB", raising=False)
    monkeypatch.delenv("ROLE", raising=False)
    monkeypatch.setattr(outputs, "_outputs", read)
    monkeypatch.setattr(os, "execve", execute)
    monkeypatch.setattr(subprocess, "run", run)
    outputs.psql("dev", {})
    outputs.accept("dev", {})
    psql, accept = given
    assert psql == {"PGUSER": "m", **({"PGREQUIREAUTH": "scram-sha-256"} if asked else {})}
    assert accept["DSN"] == DSN + ("?require_auth=scram-sha-256" if asked else "")
