"""The rules, by subject; importing this package registers them all."""

from infra.lint.rules import (
    column_types,
    columns,
    comments,
    data_loss,
    extensions,
    files,
    foreign_keys,
    indexes,
    names,
    new_objects,
    order,
    privileges,
    purpose,
    rows,
    server,
    transactions,
)

__all__ = [
    "column_types",
    "columns",
    "comments",
    "data_loss",
    "extensions",
    "files",
    "foreign_keys",
    "indexes",
    "names",
    "new_objects",
    "order",
    "privileges",
    "purpose",
    "rows",
    "server",
    "transactions",
]
