"""The statements that take back privileges which a module granted on objects that stay."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import ObjectId
from infra.postgres.apply.drop import revoke_statements

TABLE, COLUMN = ObjectId("table", "public.t"), ObjectId("column", "public.t.a")


def privileges(name: str) -> ObjectId:
    return ObjectId("privileges", name)


@pytest.mark.parametrize(
    ("name", "definition", "statement"),
    [
        ("table public.t to r", "SELECT", "REVOKE ALL ON TABLE public.t FROM r"),
        ("view public.v to r", "SELECT", "REVOKE ALL ON TABLE public.v FROM r"),
        ("materialized view public.m to r", "SELECT", "REVOKE ALL ON TABLE public.m FROM r"),
        ("function public.f(integer) to r", "EXECUTE", "REVOKE ALL ON ROUTINE public.f(integer) FROM r"),
        ("column public.t.a to r", "UPDATE", "REVOKE ALL (a) ON TABLE public.t FROM r"),
        ("schema s to PUBLIC", "USAGE", "REVOKE ALL ON SCHEMA s FROM PUBLIC"),
        ('server "S" to r', "USAGE", 'REVOKE ALL ON FOREIGN SERVER "S" FROM r'),
        ("foreign-data wrapper w to r", "USAGE", "REVOKE ALL ON FOREIGN DATA WRAPPER w FROM r"),
        ("language l to r", "USAGE", "REVOKE ALL ON LANGUAGE l FROM r"),
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
