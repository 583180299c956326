"""Which Docker engine is meant, and what is said where none can be."""

from __future__ import annotations

import pytest

from infra.errors import ServerError
from infra.server.docker.engine import engine_of


@pytest.mark.parametrize(
    ("setting", "variable", "expected"),
    [
        (None, None, "unix:///var/run/docker.sock"),
        (None, "tcp://10.0.0.1:2376", "tcp://10.0.0.1:2376"),
        ("unix:///home/me/docker.sock", "tcp://10.0.0.1:2376", "unix:///home/me/docker.sock"),
    ],
)
def test_the_setting_comes_before_the_environment_and_the_usual_socket_last(
    setting: str | None, variable: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket of one operating system is asked for where another one is used: the environment decides."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if variable:
        monkeypatch.setenv("DOCKER_HOST", variable)
    assert engine_of(setting).host == expected


def test_an_address_of_another_kind_is_one_sentence() -> None:
    """A named pipe or ssh is named, with what can be written instead."""
    with pytest.raises(ServerError, match=r"npipe:////\./pipe/docker_engine: is no address .*; write unix://"):
        engine_of("npipe:////./pipe/docker_engine").ping()
