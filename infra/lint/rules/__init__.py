"""The rules, by group; importing this registers them all."""

from infra.lint.rules import (
    columns,
    files,
    foreign_keys,
    indexes,
    names,
    order,
    purpose,
    quality,
    rows,
    safety,
    session_settings,
)

__all__ = [
    "columns",
    "files",
    "foreign_keys",
    "indexes",
    "names",
    "order",
    "purpose",
    "quality",
    "rows",
    "safety",
    "session_settings",
]
