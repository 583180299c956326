"""Tests for the messages of driver errors: one sentence by SQLSTATE, with the server's own message in brackets."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from infra.errors import BusyError, ServerError
from infra.postgres.connection.error_messages import ERROR_RULES, translate_error, translated_errors

MESSAGES = {
    "25006": "takes no changes: it is a standby, or default_transaction_read_only is on (Fehler [25006]); "
    "connect to the primary, or turn that setting off",
    "53300": "has no free connection (Fehler [53300]); "
    "end sessions that are not needed, raise max_connections in `server.settings`, or, where somebody set a "
    "CONNECTION LIMIT, run `pulumi up`, which takes that back",
    "55000": "takes no connections (Fehler [55000]); run `pulumi up`, which takes that back, or says why it cannot",
    "53100": "is out of disk or memory (Fehler [53100]); free some; nothing of this module was kept",
    "53200": "is out of disk or memory (Fehler [53200]); free some; nothing of this module was kept",
    "42501": "denies this role a privilege that it needs (Fehler [42501]); compare its grants with the stack's",
    "28P01": "refuses the login of this role (Fehler [28P01]); run `pulumi up`, which sets up the stack's roles",
    "28000": "refuses the login of this role (Fehler [28000]); run `pulumi up`, which sets up the stack's roles",
    "3D000": "does not exist (Fehler [3D000]); run `pulumi up` on the whole stack, which creates it",
    "40P01": "is locked by another session (Fehler [40P01]); run again when that session has ended",
    "57014": "cancelled a statement that took longer than is allowed (Fehler [57014]); "
    "raise `modules.statement_timeout`",
    "57P01": "cannot be reached, or the connection to it was lost (Fehler [57P01]); "
    "check that the server runs, then run again",
    "08006": "cannot be reached, or the connection to it was lost (Fehler [08006]); "
    "check that the server runs, then run again",
    "22012": "failed: Fehler [22012]",
}


@pytest.mark.parametrize("sqlstate", MESSAGES)
def test_messages_by_sqlstate(sqlstate: str) -> None:
    """The SQLSTATE alone decides on the sentence; the server's message, in any language, is quoted."""
    assert str(translate_error(errors.lookup(sqlstate)("Fehler"), "database app")) == (
        f"database app: {MESSAGES[sqlstate]}"
    )


def test_every_state_is_in_one_rule_or_told_apart_by_a_hint() -> None:
    """No rule hides another one."""
    conditions = [(state, rule.hint) for rule in ERROR_RULES for state in rule.states]
    assert len(conditions) == len(set(conditions))
    assert [state for state, hint in conditions if hint] == ["53200"]


def test_memory_for_locks_is_recognized_by_the_name_of_the_setting() -> None:
    """The server's hint names the setting in every language."""
    error = errors.OutOfMemory("Shared Memory aufgebraucht\nHINT:  Sie müssen max_locks_per_transaction erhöhen.")
    assert translate_error(error, "x").what == (
        "has no room for the locks of so many objects in one transaction (Shared Memory aufgebraucht [53200])"
    )


def test_an_error_without_a_sqlstate() -> None:
    """A lost connection has no SQLSTATE; the first line of the driver's text is quoted. Other errors failed."""
    lost = psycopg.OperationalError("connection failed: refused\n\tIs the server running?")
    assert translate_error(lost, "x").what == (
        "cannot be reached, or the connection to it was lost (connection failed: refused)"
    )
    assert str(translate_error(psycopg.ProgrammingError(), "x")) == "x: failed: ProgrammingError"


def test_waiting_for_others_is_an_error_of_its_own() -> None:
    """Errors because of locks are BusyErrors, all others ServerErrors."""
    for state in ("55P03", "40P01", "40001"):
        assert type(translate_error(errors.lookup(state)(), "x")) is BusyError
    assert type(translate_error(errors.DiskFull(), "x")) is ServerError


def test_errors_in_a_block_are_translated() -> None:
    """The driver's errors leave the block as this program's, without the driver's traceback; others as they are."""
    with pytest.raises(ServerError, match=r"^x: does not exist") as caught, translated_errors("x"):
        raise errors.InvalidCatalogName("nichts")
    assert caught.value.__suppress_context__
    with pytest.raises(ValueError, match="other"), translated_errors("x"):
        raise ValueError("other")
