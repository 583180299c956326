"""What is shown of an environment that is up."""

from __future__ import annotations

import pytest

from infra.environments.bring_up import database_of, without_password


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://u%40:p%3A%2F@h:1/d", "postgresql://u%40@h:1/d"),
        ("postgresql://u:p@/d?host=/run&port=1", "postgresql://u@/d?host=/run&port=1"),
    ],
)
def test_a_connection_string_without_its_password(dsn: str, shown: str) -> None:
    """Parts of it are percent-encoded, so that the first @ ends the password."""
    assert without_password(dsn) == shown


@pytest.mark.parametrize(
    ("dsn", "database"),
    [
        ("postgresql://u:p@h:1/shop", "shop"),
        ("postgresql://u:p%2F@/my%20shop?host=/run&port=1", "my shop"),
        ("postgresql://u:p@[::1]:1,h:2/shop?target_session_attrs=read-write", "shop"),
    ],
)
def test_the_database_of_a_connection_string(dsn: str, database: str) -> None:
    """Its name is decoded; hosts and options are no part of it."""
    assert database_of(dsn) == database
