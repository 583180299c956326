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

_Result = TypeVar("_Result")

_TRIES = 6
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0

SAFE = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock timeout (manual, appendix A): the transaction is undone, and may be redone."""

CONNECTION_LOST = ("08", "57P01", "57P02", "57P03")
"""Connection errors, and a server that shuts down, crashes or starts."""


def is_safe_to_retry(error: Exception) -> bool:
    """Say whether an error leaves nothing done, or only what the ledger knows of."""
    state = _state(error)
    return state in SAFE or state.startswith(CONNECTION_LOST)


def is_lost(error: Exception) -> bool:
    """Say whether an error is a lost connection, which comes back when a server, or a cluster, does."""
    return _state(error).startswith(CONNECTION_LOST)


def _state(error: Exception) -> str:
    """Give the SQLSTATE of an error, one for lost connections where libpq gives none, '' for any other error."""
    if isinstance(error, ModuleError):
        return error.sqlstate
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return error.sqlstate or _state_of_lost_connection(str(error))
    return (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""


def _state_of_lost_connection(text: str) -> str:
    """Tell a server that may come back from one that said no: libpq gives a refused login no SQLSTATE."""
    return "" if "FATAL:" in text and not any(words in text for words in FOR_A_WHILE) else "08"


def retry(act: Callable[[], _Result], *, seconds: float, tell: Callable[[str], None]) -> _Result:
    """Do something again while its errors are safe to retry, for at most `seconds`; tell each new try.

    A lost connection is tried until then, since a failover takes as long as it takes; a lock TRIES times in all.
    """
    stamina.instrumentation.set_on_retry_hooks([])  # tries are told to a person, not logged
    last: Exception | None = None
    tries = 0

    def once_more(error: Exception) -> bool:
        return is_safe_to_retry(error) and (is_lost(error) or tries < _TRIES)

    for attempt in stamina.retry_context(
        on=once_more,
        attempts=None,
        timeout=seconds,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=FIRST_WAIT,
    ):
        with attempt:
            if last is not None:
                of = f"for at most {seconds:g} s" if is_lost(last) else f"of {_TRIES}"
                tell(f"try {attempt.num} {of}, after: {str(last).splitlines()[0]}")
            tries += 1
            try:
                return act()
            except Exception as error:
                last = error
                raise
    raise AssertionError("unreachable: the last try returns or raises")  # pragma: no cover
