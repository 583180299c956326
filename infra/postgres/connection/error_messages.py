"""What the server refuses for reasons that are no module's, each in one sentence with a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import psycopg

from infra.errors import BusyError, InfraError, ServerError
from infra.postgres.connection.retry import retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.postgres.connection.session import Session

_Result = TypeVar("_Result")


class ErrorRule(NamedTuple):
    """What is the matter, what to do, and how the server says it: by SQLSTATE, or by words where libpq has no state.

    One state can have several causes: then `hint` is in the server's hint.
    """

    states: tuple[str, ...]
    said: tuple[str, ...]
    what: str
    remedy: str
    hint: str = ""

    def fit(self, state: str, said: str, hint: str) -> bool:
        """Say whether these are the words for an error."""
        return state in self.states and self.hint in hint if state else any(word in said for word in self.said)


ERROR_RULES = (
    ErrorRule(
        ("25006",),
        ("read-only transaction",),
        "takes no changes: it is a standby, or default_transaction_read_only is on",
        "connect to the primary, or take that setting back",
    ),
    ErrorRule(
        ("53300",),
        ("too many", "remaining connection slots"),
        "has no free connection",
        "end sessions that nobody needs, or raise max_connections in `server.settings`",
    ),
    ErrorRule(
        ("53200",),
        ("max_locks_per_transaction",),
        "has no room for the locks of so many objects in one transaction",
        "raise max_locks_per_transaction in `server.settings`; nothing of this module was kept",
        hint="max_locks_per_transaction",
    ),
    ErrorRule(("53100", "53200"), (), "is out of disk or memory", "make room; nothing of this module was kept"),
    ErrorRule(
        ("42501",),
        ("permission denied",),
        "does not allow this role what it needs",
        "compare its grants with the stack's",
    ),
    ErrorRule(
        ("28P01", "28000"), ("authentication failed",), "does not let this role in", "run `pulumi up` on its roles"
    ),
    ErrorRule(("3D000",), ("does not exist",), "is not there", "run `pulumi up` from the beginning"),
    ErrorRule(("55P03", "40P01", "40001"), (), "is locked by somebody else", "run again when they are done"),
    ErrorRule(("57014",), (), "takes longer than it may", "raise `modules.statement_timeout`"),
)
LOST = ErrorRule(
    (), (), "cannot be reached, or the connection to it was lost", "see that the server runs, then run again"
)


def translate_error(error: psycopg.Error, place: str) -> InfraError:
    """Give an error of the driver as one of this program's; PostgreSQL's own words come along, in a line."""
    state = error.sqlstate or ""
    text = (error.diag.message_primary or str(error)).strip()
    said = text.splitlines()[-1] if text else type(error).__name__
    known = (one for one in ERROR_RULES if one.fit(state, said, error.diag.message_hint or ""))
    unknown = LOST if _is_lost(error, state) else ErrorRule((), (), "has another trouble", "")
    trouble = next(known, unknown)
    kind = BusyError if state in {"55P03", "40P01", "40001"} else ServerError
    return kind(f"{trouble.what} ({said}{f' [{state}]' if state else ''})", place=place, remedy=trouble.remedy)


def _is_lost(error: psycopg.Error, state: str) -> bool:
    return state.startswith(("08", "57P")) or (not state and isinstance(error, psycopg.OperationalError))


def retry_and_translate(act: Callable[[], _Result], session: Session) -> _Result:
    """Do something in a database, again where that is safe, and let nothing but this program's errors out."""
    try:
        return retry(act, seconds=session.wait, tell=session.tell)
    except psycopg.Error as error:
        raise translate_error(error, session.place) from None
