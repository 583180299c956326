"""Tries again what is known to be safe to try again: every try asks the ledger first what has really happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import psycopg
import stamina

from infra.errors import ModuleError

if TYPE_CHECKING:
    from collections.abc import Callable

FOR_A_WHILE = (
    "starting up",
    "shutting down",
    "too many",
    "recovery mode",
    "not yet accepting",
    "remaining connection slots",
)
"""What a server says in its FATAL when the same login may work in a moment."""

Result = TypeVar("Result")

TRIES = 6
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0

SAFE = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock timeout (manual, appendix A): the transaction is undone, and may be redone."""

CONNECTION_LOST = ("08", "57P01", "57P02", "57P03")
"""Connection errors, and a server that shuts down, crashes or starts."""


def is_safe_to_retry(error: Exception) -> bool:
    """Say whether an error leaves nothing done, or only what the ledger knows of."""
    if isinstance(error, ModuleError):
        state = error.sqlstate
    elif isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        state = error.sqlstate or _state_of_lost_connection(str(error))
    elif isinstance(error, psycopg.Error):
        state = error.sqlstate or ""
    else:
        return False
    return state in SAFE or state.startswith(CONNECTION_LOST)


def _state_of_lost_connection(text: str) -> str:
    """Tell a server that may come back from one that said no: libpq gives a refused login no SQLSTATE."""
    return "" if "FATAL:" in text and not any(words in text for words in FOR_A_WHILE) else "08"


def persistently(act: Callable[[], Result], *, seconds: float, tell: Callable[[str], None]) -> Result:
    """Do something, again and again while its errors are safe to retry, for at most `seconds`; tell each new try."""
    stamina.instrumentation.set_on_retry_hooks([])  # tries are told to a person, not logged
    last: Exception | None = None
    for attempt in stamina.retry_context(
        on=is_safe_to_retry,
        attempts=TRIES,
        timeout=seconds,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=FIRST_WAIT,
    ):
        with attempt:
            if last is not None:
                tell(f"try {attempt.num} of {TRIES}, after: {str(last).splitlines()[0]}")
            try:
                return act()
            except Exception as error:
                last = error
                raise
    raise AssertionError("unreachable: the last try returns or raises")  # pragma: no cover
