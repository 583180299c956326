"""How long environments live, as it is written and as it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from infra.environments.lifetime import expiry_of, remaining
from infra.errors import InfraError

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("ttl", "lifetime"),
    [("30min", timedelta(minutes=30)), ("2h", timedelta(hours=2)), ("366d", timedelta(days=366))],
)
def test_a_time_from_now(ttl: str, lifetime: timedelta) -> None:
    """Minutes, hours or days."""
    assert expiry_of(ttl, NOW) == NOW + lifetime


@pytest.mark.parametrize("ttl", ["", "0h", "2", "2 h", "-1d", "367d", "1y", "999999d", "never"])
def test_no_time_from_now(ttl: str) -> None:
    """Nothing lives for ever."""
    with pytest.raises(InfraError, match="is no time from now; write 30min, 2h or 3d"):
        expiry_of(ttl, NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "in 10 s"), (3599, "in 59 min"), (7200, "in 2 h"), (-90_000, "1 d ago"), (-5, "5 s ago"), (0, "0 s ago")],
)
def test_what_remains(seconds: int, text: str) -> None:
    """In the largest unit, before and after."""
    assert remaining(NOW + timedelta(seconds=seconds), NOW) == text
