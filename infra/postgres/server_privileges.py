"""What every role may do on a server of the stack's own, and what its administrator's sessions write into its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target

_UNLOGGED = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_min_error_statement": "panic",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
    "pg_stat_statements.track_utility": "off",
    "pgaudit.log": "none",
}
"""What keeps the text of a statement out of the log and of views (PostgreSQL manual, 19.8; F.32, track_utility)."""


_IS_NEW = """
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1'))
"""


def restrict_server(admin: Target) -> None:
    """Close the databases of a new server to all but administrators, and keep verifiers of passwords out of its log.

    A server that has others' databases already is left as open as it is. The postgresql plugin opens sessions of its
    own, in which it says CREATE ROLE … PASSWORD with a verifier; a setting of the role that it uses holds in them too,
    whatever the configuration says.
    """
    with connect(admin) as connection:
        if connection.execute(_IS_NEW).fetchone() == (True,):
            connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
        for name, value in _UNLOGGED.items():
            parameter = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
            statement = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(statement.format(sql.Identifier(admin.user), parameter, sql.Literal(value)))
