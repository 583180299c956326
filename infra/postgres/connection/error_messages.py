"""Messages for errors of the driver that no statement of a module caused: one sentence each, with a remedy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from infra.errors import BusyError, ClosedError, InfraError, ServerError

if TYPE_CHECKING:
    from collections.abc import Generator

_LOCK_STATES = ("55P03", "40P01", "40001")


class ErrorRule(NamedTuple):
    """What the message says for some SQLSTATEs, and what to do about it.

    Where one SQLSTATE has several causes, `hint` must occur in the server's hint: the name of a setting, which no
    server translates.
    """

    states: tuple[str, ...]
    what: str
    remedy: str
    hint: str = ""

    def applies_to(self, state: str, hint: str) -> bool:
        """Return whether this rule is for an error with this SQLSTATE and hint."""
        return state in self.states and self.hint in hint


ERROR_RULES = (
    ErrorRule(
        ("25006",),
        "takes no changes: it is a standby, or default_transaction_read_only is on",
        "connect to the primary, or turn that setting off",
    ),
    ErrorRule(
        ("53300",),
        "has no free connection",
        "end sessions that are not needed, raise max_connections in `server.settings`, or, where somebody set a "
        "CONNECTION LIMIT, run `pulumi up`, which takes that back",
    ),
    ErrorRule(
        ("53200",),
        "has no room for the locks of so many objects in one transaction",
        "raise max_locks_per_transaction in `server.settings`; nothing of this module was kept",
        hint="max_locks_per_transaction",
    ),
    ErrorRule(("53100", "53200"), "is out of disk or memory", "free some; nothing of this module was kept"),
    ErrorRule(("42501",), "denies this role a privilege that it needs", "compare its grants with the stack's"),
    ErrorRule(("28P01", "28000"), "refuses the login of this role", "run `pulumi up`, which sets up the stack's roles"),
    ErrorRule(("3D000",), "does not exist", "run `pulumi up` on the whole stack, which creates it"),
    ErrorRule(_LOCK_STATES, "is locked by another session", "run again when that session has ended"),
    ErrorRule(
        ("57014",), "cancelled a statement that took longer than is allowed", "raise `modules.statement_timeout`"
    ),
)
CONNECTION_LOST_RULE = ErrorRule(
    (), "cannot be reached, or the connection to it was lost", "check that the server runs, then run again"
)
CLOSED_RULE = ErrorRule(
    ("55000",), "takes no connections", "run `pulumi up`, which takes that back, or says why it cannot"
)
"""For a connection alone: statements fail with this SQLSTATE for other reasons."""
UNKNOWN_RULE = ErrorRule((), "failed", "")


def translate_error(error: psycopg.Error, place: str) -> InfraError:
    """Return an error of the driver as one of this program's, which quotes the server's message in one line."""
    state = error.sqlstate or ""
    text = (error.diag.message_primary or str(error)).strip()
    message = text.splitlines()[0] if text else type(error).__name__
    quoted = f"{message} [{state}]" if state else message
    is_closed = state in CLOSED_RULE.states and error.diag.message_primary is None
    kind = ClosedError if is_closed else BusyError if state in _LOCK_STATES else ServerError
    hint = error.diag.message_hint or str(error)  # of a refused connection libpq has one text, with the hint in it
    rules = (CLOSED_RULE, *ERROR_RULES) if is_closed else ERROR_RULES
    applying = (rule for rule in rules if rule.applies_to(state, hint))
    rule = next(applying, CONNECTION_LOST_RULE if _is_lost(error, state) else UNKNOWN_RULE)
    what = f"{rule.what}: {quoted}" if rule is UNKNOWN_RULE else f"{rule.what} ({quoted})"
    return kind(what, place=place, remedy=rule.remedy)


def _is_lost(error: psycopg.Error, state: str) -> bool:
    return state.startswith(("08", "57P")) or (not state and isinstance(error, psycopg.OperationalError))


@contextmanager
def translated_errors(place: str) -> Generator[None]:
    """Raise errors of the driver inside the block as this program's; `place` is what the message names first."""
    try:
        yield
    except psycopg.Error as error:
        raise translate_error(error, place) from None
