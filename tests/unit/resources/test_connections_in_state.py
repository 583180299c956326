"""What the state keeps of a connection depends on what a connection string says, and not on the order in it."""

from __future__ import annotations

import asyncio

import pulumi

from infra.resources.external_server import ExternalServerProvider
from infra.resources.session_text import session_of

OPTIONS = {"host": "a,b", "port": "1,2", "sslmode": "require", "target_session_attrs": "read-write"}
BACKWARDS = dict(reversed(OPTIONS.items()))


def session_text(options: dict[str, str]) -> str | None:
    async def text() -> str | None:
        return await session_of({"admin": {"options": pulumi.Output.from_input(options)}, "stack": "dev"}).future()

    loop = asyncio.new_event_loop()  # asyncio.run() would leave the thread without one, and Pulumi's mocks need one
    try:
        return loop.run_until_complete(text())
    finally:
        loop.close()


def test_a_session_has_one_text_whatever_the_order_of_the_options() -> None:
    """Pulumi's maps have no order: the text of the session is the same for each."""
    assert session_text(OPTIONS) == session_text(BACKWARDS)


def test_options_in_another_order_are_no_change_of_the_server() -> None:
    """The server is the same when only the text of the connection string differs; it is not when an option does."""
    before = {"dsn": "host=a,b sslmode=require", "password": "x", "options": OPTIONS}
    after = {"dsn": "sslmode=require host=a,b", "password": "x", "options": BACKWARDS}
    assert not ExternalServerProvider().diff("", before, after).changes
    assert ExternalServerProvider().diff("", before, {**after, "options": {**OPTIONS, "sslmode": "prefer"}}).changes
