"""The safe form of a statement that has a hazard, as SQL that a person can write into a revision."""

from __future__ import annotations

from infra.errors import ModuleError
from infra.hazards.measured import HazardKind
from infra.migrations.expand_contract import expanded
from infra.modules.generated_names import LONGEST_NAME
from infra.modules.safe_forms import quoted, safe_form
from infra.modules.statements import parse

_OF_ITS_OWN = "-- in a revision, or a transaction, of its own:"
_QUOTE = '"'
_UNUSED = "-- in a later release, when nobody missed it:"


def safe_statements(kind: HazardKind, sql: str, table: str) -> list[str]:
    """Return the lines of the safe form of a statement with a hazard of a kind, for a table."""
    statement = f"{sql.rstrip(';')};"
    if kind is HazardKind.HELD:
        return [_OF_ITS_OWN, statement]
    try:
        if kind is HazardKind.LOSS:
            return expanded(sql) or _renamed_first(sql, table)
        return [f"{part};" for part in safe_form(sql)] or expanded(sql)
    except ModuleError:
        return []


def _renamed_first(sql: str, table: str) -> list[str]:
    """Return how a table goes without its rows: unused first, and dropped when nobody missed it."""
    if parse(sql, "")[0].kind != "drop_stmt":
        return []
    schema, _, name = table.rpartition(".")
    unused = quoted(f"{name.strip(_QUOTE)[: LONGEST_NAME - 7]}_unused")
    return [f"ALTER TABLE {table} RENAME TO {unused};", _UNUSED, f"DROP TABLE {schema}.{unused};"]
