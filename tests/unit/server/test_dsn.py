"""Connection strings of the user: parsed as libpq does, and never quoted where they cannot be parsed."""

from __future__ import annotations

import pytest

from infra.errors import ServerError
from infra.server.dsn import parse_dsn

PASSWORD = "s3cret-word"


@pytest.mark.parametrize(
    "dsn",
    [
        f"host=127.0.0.1 password='{PASSWORD}",
        f"host=127.0.0.1 password={PASSWORD} nonsense",
        f"postgresql://user:{PASSWORD}@127.0.0.1:port/x",
        f"host=127.0.0.1 port={PASSWORD} dbname=x",
    ],
)
def test_a_string_that_cannot_be_read_is_one_sentence(dsn: str) -> None:
    """The error says where and what to write instead, and quotes nothing: the password may be misplaced."""
    with pytest.raises(ServerError) as caught:
        parse_dsn(dsn)
    message = str(caught.value)
    assert message.startswith("connection string: ")
    assert "; write postgresql://user@host:port/database" in message
    assert PASSWORD not in message


@pytest.mark.parametrize("port", ["5433", "5433,5434"])
def test_a_port_is_a_number_or_several(port: str) -> None:
    """A target has the first of several ports, and all of them in libpq's options."""
    target = parse_dsn(f"host=127.0.0.1 port={port} dbname=x user=me")
    assert target.port == 5433
    assert target.options.get("port") == (port if "," in port else None)


def test_a_port_from_the_environment_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid PGPORT is an error that names the variable."""
    monkeypatch.setenv("PGPORT", "many")
    with pytest.raises(ServerError, match="PGPORT"):
        parse_dsn("host=127.0.0.1 dbname=x user=me")
