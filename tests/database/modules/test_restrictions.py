"""The restrictions on statements in transactions agree with what PostgreSQL refuses."""

from __future__ import annotations

import psycopg
from psycopg.errors import ActiveSqlTransaction

from infra.modules.restrictions import RESTRICTIONS
from tests.unit.modules.test_restrictions import CASES

pytest_plugins = ["tests.database.scratch_server"]

SETUP = "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1)"
OUTSIDE = [kind for kind, rule in RESTRICTIONS.items() if rule.what.endswith("cannot run inside a transaction")]


def is_refused_inside_a_transaction(connection: psycopg.Connection[tuple[object, ...]], text: str) -> bool:
    """Return whether PostgreSQL refuses a statement because it is inside a transaction, which is rolled back."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(text.encode())
    except ActiveSqlTransaction:
        return True
    except psycopg.Error:
        return False  # an error of another kind: the transaction was accepted
    return False


def test_statements_refused_for_the_transaction_are_refused_by_postgresql(database: str) -> None:
    """Every statement that a rule says cannot run inside a transaction is one that PostgreSQL refuses there."""
    assert len(OUTSIDE) == 9
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP)
        for kind in OUTSIDE:
            for text in CASES[kind][0]:
                assert is_refused_inside_a_transaction(connection, text), text


def test_near_misses_run_inside_a_transaction(database: str) -> None:
    """No statement that the rules accept is one that PostgreSQL refuses for being inside a transaction."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP)
        for _, accepted in CASES.values():
            for text in accepted:
                assert not is_refused_inside_a_transaction(connection, text), text
