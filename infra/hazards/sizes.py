"""How large tables are, as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass

SMALL_BYTES = 8 << 20
"""Up to this size a table is read or rewritten in a moment, and no lock is held for long because of that."""

_THOUSAND, _MILLION = 10**3, 10**6
_STEP = 1024


@dataclass(frozen=True)
class TableSize:
    """How many rows a table has, about, and how many bytes."""

    rows: int
    bytes: int

    @property
    def is_small(self) -> bool:
        """Whether all its rows are read or written again in a moment."""
        return self.bytes <= SMALL_BYTES

    def __str__(self) -> str:
        return f"{rows_as_text(self.rows)}, {bytes_as_text(self.bytes)}"


def rows_as_text(rows: int) -> str:
    """Return a number of rows: `1 row`, `950 rows`, `12 k rows`, `40 M rows`."""
    if rows < 10 * _THOUSAND:
        return "1 row" if rows == 1 else f"{rows:,} rows"
    if rows < _MILLION:
        return f"{rows // _THOUSAND} k rows"
    return f"{rows / _MILLION:,.1f}".removesuffix(".0") + " M rows"


def bytes_as_text(size: int) -> str:
    """Return a number of bytes: `8 kB`, `11 GB`."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < _STEP:
            return f"{value:,.0f} {unit}"
        value /= _STEP
    return f"{value:,.1f} TB"
