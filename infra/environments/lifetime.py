"""How long an environment lives: `2h`, `3d`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from infra.errors import InfraError

_UNITS = {"min": "minutes", "h": "hours", "d": "days"}
LONGEST_DAYS = 366


def expiry_of(ttl: str, now: datetime | None = None) -> datetime:
    """Return when an environment that is brought up now has expired; raises InfraError for what is no such time."""
    match = re.fullmatch("([0-9]{1,6})(min|h|d)", ttl)
    lifetime = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < lifetime <= timedelta(days=LONGEST_DAYS):
        raise InfraError(
            f"{ttl!r} is no time from now",
            place="--ttl",
            remedy=f"write 30min, 2h or 3d, at most {LONGEST_DAYS}d",
        )
    return (now or datetime.now(timezone.utc)) + lifetime


def remaining(expires: datetime, now: datetime) -> str:
    """Return how long it is to, or since, an expiry, in its largest unit."""
    seconds = int(abs((expires - now).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            amount = f"{seconds // length} {unit}"
            break
    else:
        amount = f"{seconds} s"
    return f"in {amount}" if expires > now else f"{amount} ago"
