"""Repetition of work after temporary failures; each attempt first reads from the ledger what is already done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import psycopg
import stamina

from infra.errors import ModuleError
from infra.postgres.connection.failure import classify_connection_error

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")

_LOCK_ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0

ROLLED_BACK = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock timeout: the transaction was rolled back, and may be repeated (appendix A)."""

CONNECTION_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
"""Connection exceptions; a server that shuts down, has crashed or is starting; a session that a time limit ended."""


def is_safe_to_retry(error: Exception) -> bool:
    """Return whether nothing is left of the attempt that ended in this error, or only what the ledger records."""
    return is_lost(error) or (isinstance(error, (ModuleError, psycopg.Error)) and error.sqlstate in ROLLED_BACK)


def is_lost(error: Exception) -> bool:
    """Return whether an error is a failed connection that may succeed when the server, or the cluster, is back."""
    if isinstance(error, ModuleError):
        return error.sqlstate.startswith(CONNECTION_LOST)
    return isinstance(error, psycopg.Error) and classify_connection_error(error).is_temporary


def retry(act: Callable[[], _Result], *, seconds: float, tell: Callable[[str], None]) -> _Result:
    """Return what `act` returns, repeating it while its errors are safe to retry, for at most `seconds`.

    After a lost connection it is repeated until then, since the length of a failover is not known; after a rollback
    because of locks, six times in all. Each repetition is reported to `tell`, with the error before it.
    """
    stamina.instrumentation.set_on_retry_hooks([])  # attempts are reported to a person, not logged
    last: Exception | None = None
    attempts = 0

    def repeats_after(error: Exception) -> bool:
        return is_safe_to_retry(error) and (is_lost(error) or attempts < _LOCK_ATTEMPTS)

    for attempt in stamina.retry_context(
        on=repeats_after,
        attempts=None if seconds else 1,
        timeout=seconds or None,  # of 0 it warns
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=FIRST_WAIT,
    ):
        with attempt:
            if last is not None:
                limit = f"for at most {seconds:g} s" if is_lost(last) else f"of {_LOCK_ATTEMPTS}"
                tell(f"try {attempt.num} {limit}, after: {str(last).splitlines()[0]}")
            attempts += 1
            try:
                return act()
            except Exception as error:
                last = error
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover
