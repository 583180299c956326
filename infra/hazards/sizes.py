"""How large tables are: read from a live database, or from a file of numbers, and as a person reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SMALL_BYTES = 8 << 20
"""Up to this size a table is read or rewritten in a moment, and no lock is held for long because of that."""

_THOUSAND, _MILLION = 10**3, 10**6
_STEP = 1024
_REMEDY = 'write {"public.orders": {"rows": 1200, "bytes": 65536}, …}'


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


def read_sizes_file(path: Path) -> dict[str, TableSize]:
    """Read the sizes of tables from a file of JSON; raises InfraError where it is not one."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        tables = cast("Mapping[str, Mapping[str, Any]]", values)
        return {table: TableSize(int(size["rows"]), int(size["bytes"])) for table, size in tables.items()}
    except OSError as error:
        raise InfraError(f"cannot be read ({error.strerror})", place=str(path), remedy=_REMEDY) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InfraError("does not have rows and bytes by table", place=str(path), remedy=_REMEDY) from None
