"""Passwords in the text of a review are masked, wherever SQL or a connection string has them."""

from __future__ import annotations

import json

import pytest

from infra.review.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ALTER ROLE a PASSWORD 'geheim';", "ALTER ROLE a PASSWORD '***';"),
        ("OPTIONS (user 'a', password 'geheim')", "OPTIONS (user 'a', password '***')"),
        ("login(password => 'geheim')", "login(password => '***')"),
        ("'postgresql://a:ge/he!im@db.example:5432/x'", "'postgresql://a:***@db.example:5432/x'"),
        ("'host=db user=a password=geheim dbname=x'", "'host=db user=a password=*** dbname=x'"),
        (
            "postgresql://db/x?user=a&password=geheim&sslmode=require",
            "postgresql://db/x?user=a&password=***&sslmode=require",
        ),
    ],
)
def test_a_password_is_masked(text: str, shown: str) -> None:
    """In SQL, and in both forms of a connection string; JSON stays JSON."""
    assert masked(text) == shown
    assert json.loads(masked(json.dumps({"a": [text, 'x "y" z']}))) == {"a": [shown, 'x "y" z']}


@pytest.mark.parametrize(
    "text",
    [
        "    password text NOT NULL,",
        "password_hash = excluded.password_hash",
        "SELECT password FROM users WHERE password = $1",
        "see https://example.org/a:b and a@b.example",
        "'postgresql://a@db.example/x'",
        "CHECK (password <> '')",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    """A column of the name, a page, an address without one."""
    assert masked(text) == text
