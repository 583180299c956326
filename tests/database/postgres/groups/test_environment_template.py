"""The template of environments: it belongs to no stack, and a clone of it becomes the stack's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.modules.decision import Step
from infra.modules.template_name import TEMPLATES, group_mark, template_mark, template_name, templates_stack
from infra.postgres.access_drift import access_drift
from infra.postgres.connection.connect import connect
from infra.postgres.groups.environment_template import drop_template, finish_clone_of_template, make_template
from infra.postgres.groups.roles import ensure_roles
from infra.postgres.shared_objects import has_template
from tests.database.postgres.groups.test_groups import tenants  # noqa: F401 # pyright: ignore[reportUnusedImport]
from tests.database.postgres.groups.test_templates import MODULES, contents, written

if TYPE_CHECKING:
    from infra.postgres.connection.session import Session
    from tests.database.postgres.groups.test_groups import Tenants

pytest_plugins = ["tests.database.scratch_server"]

STACK = templates_stack("shop")
MARK = group_mark(TEMPLATES, STACK)


def templates_session(group: Tenants) -> Session:
    """Return the administrator's session for the template."""
    return replace(group.spec.template, stack=STACK, extensions=("pgcrypto",))


def test_a_clone_becomes_the_stacks_own_once(tenants: Tenants) -> None:  # noqa: F811
    """It is as if its modules had run in it, and what is no clone stays as it is."""
    group, modules = tenants, written(tenants, MODULES)
    group.create(["initech"])
    for module in modules:
        group.apply(module.name, ["initech"])
    session = templates_session(group)
    name = template_name(TEMPLATES, MARK, modules, ["pgcrypto"], revision="", rows=False)
    assert not has_template(group.spec.admin, name, template_mark(MARK))
    assert make_template(session) == make_template(session) == name
    assert has_template(group.spec.admin, name, template_mark(MARK))
    assert not has_template(group.spec.admin, name, f"{MARK}, another")

    ensure_roles(group.spec, ["acme"])
    access = group.spec.access("acme")
    with connect(group.spec.admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE acme OWNER "{access.owner}" TEMPLATE {name}'.encode())
    own = group.spec.session("acme", print)
    assert finish_clone_of_template(own, access, STACK)
    assert not finish_clone_of_template(own, access, STACK)
    assert not finish_clone_of_template(group.spec.session("initech", print), group.spec.access("initech"), STACK)
    assert contents(group, "acme") == contents(group, "initech")
    assert access_drift(group.spec.admin.on("acme"), access) == []
    assert {group.apply(module.name, ["acme"])["acme"].result for module in modules} == {Step.UNCHANGED}

    drop_template(session)
    assert not has_template(group.spec.admin, name, template_mark(MARK))
    assert group.sql("postgres", f"SELECT count(*) FROM pg_roles WHERE rolname ~ '^{TEMPLATES}_template'") == [(0,)]


def test_the_template_of_other_modules_is_dropped(tenants: Tenants) -> None:  # noqa: F811
    """There is one for a project, that of its checkout; where rows differ each time there is none."""
    written(tenants, MODULES)
    first = make_template(templates_session(tenants))
    written(tenants, {"01-first": MODULES["01-first"].replace("note text", "note text, day date")})
    second = make_template(templates_session(tenants))
    assert second not in {first, ""}
    assert not has_template(tenants.spec.admin, first, template_mark(MARK))
    written(tenants, {"04-rows": "INSERT INTO customers (name) VALUES (gen_random_uuid());"})
    assert make_template(templates_session(tenants)) == ""
    assert tenants.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname ~ '^environments'") == [(0,)]
