"""Roles and databases that a server has already: recognised as the stack's, taken over, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.database_roles import DatabaseRoles
from infra.postgres.role_passwords import other_passwords, set_passwords
from infra.postgres.shared_objects import find_existing, find_ours, recreate

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.target import Target

pytest_plugins = ["tests.database.scratch_server"]

SHOP = DatabaseRoles("shop", "shop_owner", "shop_migrator", "shop_app", "shop_readonly")
NEW = DatabaseRoles("new", "new_owner", "new_migrator", "new_app", "new_readonly")
EXISTING = ["role shop_owner", "role shop_app", "database shop"]


@pytest.fixture
def target(template: Target) -> Generator[Target]:
    """Yield the superuser's target of a server with a database, its owner and one of its logins."""
    with connect(template, autocommit=True) as connection:
        for statement in (
            "CREATE ROLE shop_owner",
            "CREATE ROLE shop_app LOGIN",
            "CREATE ROLE shop_boss LOGIN CREATEROLE",
        ):
            connection.execute(statement.encode())
        connection.execute(b"CREATE DATABASE shop OWNER shop_owner")
    yield template
    with connect(template, autocommit=True) as connection:
        connection.execute(b"DROP DATABASE shop")
        for role in ("shop_owner", "shop_app", "shop_boss"):
            connection.execute(f"DROP ROLE {role}".encode())


def test_what_exists_is_named(target: Target) -> None:
    """What the server has of a stack's roles and databases is named by its kind and name."""
    assert find_existing(target, [SHOP, NEW]) == EXISTING
    assert find_existing(target, [NEW]) == []


def test_another_password_is_found_and_taken_back(target: Target) -> None:
    """A superuser reads what the server keeps of it; roles that do not exist are left to what creates them."""
    verifiers = {role: verifier("Pw-1") for role in SHOP.logins}
    passwords = dict.fromkeys([*SHOP.logins, *NEW.logins], "Pw-1")
    assert other_passwords(target, [SHOP, NEW], passwords, verifiers) == ["shop_app"]
    set_passwords(target, ["shop_app"], verifiers)
    assert other_passwords(target, [SHOP, NEW], passwords, verifiers) == []
    with connect(target, autocommit=True) as connection:
        connection.execute(b"ALTER ROLE shop_app PASSWORD 'of-somebody-else'")
    assert other_passwords(target, [SHOP, NEW], passwords, verifiers) == ["shop_app"]


def test_what_is_gone_is_created_again(target: Target) -> None:
    """Roles get their passwords, the migrator its owner; what exists is left as it is, and a second time all of it."""
    password = "Pw-1"
    verifiers = dict.fromkeys(SHOP.logins, verifier(password))
    for _ in range(2):
        recreate(target, [SHOP], SHOP.objects, verifiers)
    assert find_existing(target, [SHOP]) == SHOP.objects
    with connect(replace(target.on("shop"), user="shop_migrator", password=password), autocommit=True) as connection:
        connection.execute("SET ROLE shop_owner")
    with connect(target, autocommit=True) as connection:
        connection.execute("DROP ROLE shop_migrator")
        connection.execute("DROP ROLE shop_readonly")


def test_what_is_created_has_the_locale_of_the_server(target: Target) -> None:
    """As what the postgresql plugin creates, which names none: by another one `lower` knows other letters."""
    recreate(target, [NEW], NEW.objects, {role: verifier("Pw-1") for role in NEW.logins})
    with connect(target, autocommit=True) as connection:
        query = "SELECT DISTINCT datcollate, datctype FROM pg_database WHERE datname IN ('template0', %s)"
        assert connection.execute(query, (NEW.name,)).fetchall() == [("C", "C.UTF-8")]
        connection.execute(f"DROP DATABASE {NEW.name}".encode())
        for role in (*NEW.logins, NEW.owner):
            connection.execute(f"DROP ROLE {role}".encode())


def test_what_an_earlier_run_recorded_is_the_stacks(target: Target) -> None:
    """What a run was about to create, and now exists, was created by it."""
    found, taken_over = find_ours(target, [SHOP, NEW], recorded=SHOP.objects, renamed={}, passwords={}, adopt=[])
    assert (found, taken_over) == (EXISTING, [])


def test_what_another_created_is_refused_in_one_sentence(target: Target) -> None:
    """It names all that is there, and how to take it over; a server of the stack's own has another setting for that."""
    with pytest.raises(RefusedError) as caught:
        find_ours(target, [SHOP, NEW], recorded=["role shop_owner"], renamed={}, passwords={}, adopt=[])
    assert str(caught.value) == (
        f"server {target.host}:{target.port}: has role shop_app and database shop already, which this stack did not "
        "create; choose other names or, to take over what is there, add shop_app and shop to server.adopt"
    )
    with pytest.raises(RefusedError, match=r"set server\.adopt to true"):
        find_ours(target, [SHOP], recorded=[], renamed={}, passwords={}, adopt=False)


def test_a_password_that_nobody_asks_for_proves_nothing(target: Target) -> None:
    """On a server that trusts every login, a role accepts any password."""
    with pytest.raises(RefusedError, match="role shop_owner, role shop_app and database shop"):
        find_ours(target, [SHOP], recorded=[], renamed={}, passwords={"shop_app": "any"}, adopt=[])


def test_what_is_named_is_taken_over(target: Target) -> None:
    """The names in the setting are taken over, whether roles or databases; the others are still refused."""
    with pytest.raises(RefusedError, match="has role shop_owner already"):
        find_ours(target, [SHOP], recorded=[], renamed={}, passwords={}, adopt=["shop", "shop_app"])
    _, taken_over = find_ours(
        target, [SHOP], recorded=[], renamed={}, passwords={}, adopt=["shop", "shop_app", "shop_owner"]
    )
    assert taken_over == EXISTING
    assert find_ours(target, [SHOP], recorded=[], renamed={}, passwords={}, adopt=True)[1] == taken_over


def test_what_the_administrator_may_not_alter_is_refused(target: Target) -> None:
    """From PostgreSQL 16 on, CREATEROLE alone does not alter a role that another created."""
    boss = replace(target, user="shop_boss")
    with connect(target, autocommit=True) as connection:
        if connection.info.server_version < 160_000:
            pytest.skip("before PostgreSQL 16 CREATEROLE alters every role that is no superuser")
        with pytest.raises(RefusedError) as caught:
            find_ours(boss, [SHOP], recorded=[], renamed={}, passwords={}, adopt=["shop_app", "shop_owner", "shop"])
        assert str(caught.value).endswith(
            "role shop_owner and role shop_app cannot be taken over, because shop_boss may not alter them; "
            "have a superuser run GRANT shop_app, shop_owner TO shop_boss WITH ADMIN OPTION"
        )
        connection.execute(b"GRANT shop_app, shop_owner TO shop_boss WITH ADMIN OPTION")
    assert find_ours(boss, [SHOP], recorded=[], renamed={}, passwords={}, adopt=["shop_app", "shop_owner", "shop"])[1]


def test_a_role_is_not_renamed_to_one_that_exists(target: Target) -> None:
    """The role that exists may have privileges of its own, and lacks those of the other one."""
    with pytest.raises(RefusedError) as caught:
        find_ours(target, [SHOP], recorded=["role shop_owner"], renamed={"web": "shop_app"}, passwords={}, adopt=True)
    assert str(caught.value).endswith(
        "has role shop_app already, so that role web cannot be renamed to it; "
        "choose a name that no role has, or rename shop_app first"
    )
