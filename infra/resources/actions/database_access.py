"""What DatabaseAccess reads of a database before a run: what somebody granted, revoked or set that is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.access_drift import access_drift
from infra.postgres.apply.live_status import with_time_limits
from infra.postgres.connection.error_messages import translated_errors
from infra.resources.base import admin_target
from infra.resources.console import logger

if TYPE_CHECKING:
    from infra.postgres.access import Access
    from infra.resources.base import Properties

TAKEN_BACK = "somebody changed what its roles or the database may do or are, and `up` takes that back:"
EXPECTED = "what somebody else manages belongs in the setting `modules.unmanaged` (docs/lifecycle.md)"

_silent: set[str] = set()
"""The addresses of servers that did not answer: they are not waited for again in this process."""


def look(props: Properties, access: Access, outside: str) -> list[str]:
    """Return what is not as a database's roles were declared in the last run, and show it; [] where it is not read."""
    target = admin_target(props)
    address = f"{target.host}:{target.port}"
    if address in _silent:
        return []
    try:
        with translated_errors(address):
            found = access_drift(with_time_limits(target), access, outside) or []
    except ServerError:
        _silent.add(address)
        return []
    if found:
        logger(props, "DatabaseAccess", f"{target.database}-access")("\n  ".join([TAKEN_BACK, *found, EXPECTED]))
    return found
