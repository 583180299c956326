"""The statements that drop what a module created."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange, created_objects
from infra.postgres.apply.drop import drop_statements, revoke_statements

TABLE, COLUMN = ObjectId("table", "public.t"), ObjectId("column", "public.t.a")


def privileges(name: str) -> ObjectId:
    return ObjectId("privileges", name)


def test_only_created_objects_are_dropped() -> None:
    """What a module changed or dropped is not its own: it belongs to the module that created it."""
    effect = CatalogChange({TABLE: "", COLUMN: "type text", ObjectId("view", "public.v"): None}, frozenset({COLUMN}))
    assert created_objects(effect) == {TABLE: ""}


def test_objects_are_dropped_in_the_order_of_their_kinds() -> None:
    """Views are dropped before tables, tables before functions and types, and schemas last."""
    objects = [
        ObjectId("schema", "s"),
        ObjectId("enum", "s.mood"),
        ObjectId("function", "s.f(integer)"),
        ObjectId("table", "s.t"),
        ObjectId("view", "s.v"),
    ]
    assert drop_statements(dict.fromkeys(objects, "")) == [
        "DROP VIEW IF EXISTS s.v",
        "DROP TABLE IF EXISTS s.t",
        "DROP FUNCTION IF EXISTS s.f(integer)",
        "DROP TYPE IF EXISTS s.mood",
        "DROP SCHEMA IF EXISTS s",
    ]


def test_a_foreign_table_is_dropped_under_its_own_keyword() -> None:
    """DROP TABLE refuses a foreign table, which the catalog lists as a table."""
    assert drop_statements({TABLE: "foreign table of server x"}) == ["DROP FOREIGN TABLE IF EXISTS public.t"]


def test_parts_of_a_dropped_table_have_no_statement() -> None:
    """Columns and constraints are dropped with their table, except foreign keys, which can form circles."""
    objects = {
        TABLE: "",
        COLUMN: "type text",
        ObjectId("constraint", "public.t.t_pkey"): "PRIMARY KEY (a)",
        ObjectId("constraint", "public.t.t_fkey"): "FOREIGN KEY (a) REFERENCES public.u(a)",
    }
    assert drop_statements(objects) == [
        "ALTER TABLE IF EXISTS public.t DROP CONSTRAINT IF EXISTS t_fkey",
        "DROP TABLE IF EXISTS public.t",
    ]


def test_parts_of_another_modules_table_are_dropped_from_it() -> None:
    """A policy, a trigger, a rule, a constraint or a column is dropped from a table that stays; names stay quoted."""
    objects = [
        COLUMN,
        ObjectId("constraint", 'public."T.x".c'),
        ObjectId("rule", "public.t.r"),
        ObjectId("trigger", "public.t.g"),
        ObjectId("policy", 'public.t."P"'),
    ]
    assert drop_statements(dict.fromkeys(objects, "")) == [
        'DROP POLICY IF EXISTS "P" ON public.t',
        "DROP TRIGGER IF EXISTS g ON public.t",
        "DROP RULE IF EXISTS r ON public.t",
        'ALTER TABLE IF EXISTS public."T.x" DROP CONSTRAINT IF EXISTS c',
        "ALTER TABLE IF EXISTS public.t DROP COLUMN IF EXISTS a",
    ]


@pytest.mark.parametrize(
    ("name", "definition", "statement"),
    [
        ("table public.t to r", "SELECT", "REVOKE ALL ON TABLE public.t FROM r"),
        ("view public.v to r", "SELECT", "REVOKE ALL ON TABLE public.v FROM r"),
        ("materialized view public.m to r", "SELECT", "REVOKE ALL ON TABLE public.m FROM r"),
        ("function public.f(integer) to r", "EXECUTE", "REVOKE ALL ON ROUTINE public.f(integer) FROM r"),
        ("column public.t.a to r", "UPDATE", "REVOKE ALL (a) ON TABLE public.t FROM r"),
        ("schema s to PUBLIC", "USAGE", "REVOKE ALL ON SCHEMA s FROM PUBLIC"),
        ("future tables of o to r", "SELECT", "ALTER DEFAULT PRIVILEGES FOR ROLE o REVOKE ALL ON TABLES FROM r"),
        (
            "future tables of o in schema s to r",
            "SELECT",
            "ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA s REVOKE ALL ON TABLES FROM r",
        ),
    ],
)
def test_privileges_on_objects_that_stay_are_revoked(name: str, definition: str, statement: str) -> None:
    """Each kind of subject has its own form of REVOKE, and default privileges their ALTER DEFAULT PRIVILEGES."""
    assert revoke_statements({privileges(name): definition}) == [statement]


@pytest.mark.parametrize(
    ("name", "definition", "privilege"),
    [
        ("future functions of o to PUBLIC", "none", "EXECUTE ON FUNCTIONS TO PUBLIC"),
        ("future functions of o to PUBLIC", "EXECUTE*", "EXECUTE ON FUNCTIONS TO PUBLIC"),
        ("future types of o to PUBLIC", "none", "USAGE ON TYPES TO PUBLIC"),
    ],
)
def test_default_privileges_of_postgresql_are_granted_again(name: str, definition: str, privilege: str) -> None:
    """What PUBLIC may do by default is restored, and not revoked, when the module that changed it is retired."""
    (statement,) = revoke_statements({privileges(name): definition})
    assert statement == f"ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT {privilege}"


@pytest.mark.parametrize(
    ("subject", "dropped"),
    [
        ("table public.t", TABLE),
        ("column public.t.a", TABLE),
        ("column public.t.a", COLUMN),
        ("function public.p()", ObjectId("procedure", "public.p()")),
        ("function public.a(integer)", ObjectId("aggregate", "public.a(integer)")),
        ("type public.mood", ObjectId("enum", "public.mood")),
        ("materialized view public.m", ObjectId("materialized view", "public.m")),
    ],
)
def test_privileges_end_with_their_object(subject: str, dropped: ObjectId) -> None:
    """Privileges on an object that is dropped, or on a column of a table that is, are not revoked first."""
    assert revoke_statements({privileges(f"{subject} to r"): "ALL", dropped: ""}) == []
    assert len(revoke_statements({privileges(f"{subject} to r"): "ALL", ObjectId("table", "public.other"): ""})) == 1
