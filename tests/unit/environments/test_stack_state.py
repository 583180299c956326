"""What is read of a stack's state: its server's administrator, its databases and roles."""

from __future__ import annotations

import json

from infra.environments.stack_state import outputs_of, salt_of, state_of

DYNAMIC = "pulumi-python:dynamic/postgres:"
SECRET_KEY = "4dabf18193072939515e22adb298388d"


def secret(value: object) -> dict[str, str]:
    return {SECRET_KEY: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(value)}


def resource(kind: str, **outputs: object) -> dict[str, object]:
    return {"type": kind, "outputs": outputs}


ADMINISTRATOR = {"host": "h", "port": 5432.0, "database": "postgres", "user": "boss", "password": secret("pw")}


def test_an_external_server() -> None:
    """The target has the password in clear, and what the mark names is added to what the plugin made."""
    state = state_of(
        {
            "resources": [
                {"type": "pulumi:pulumi:Stack"},
                resource(f"{DYNAMIC}SharedObjects", **ADMINISTRATOR, options={"sslmode": "require"}),
                resource("postgresql:index/database:Database", name="shop"),
                resource("postgresql:index/role:Role", name="shop_app"),
                resource(f"{DYNAMIC}EnvironmentMark", **ADMINISTRATOR, databases=["shop", "tenant"], roles=["t_app"]),
            ]
        }
    )
    assert state.target
    assert (str(state.target), state.target.password) == ("boss@h:5432/postgres", "pw")
    assert state.target.options == {"sslmode": "require"}
    assert not state.is_own
    assert (state.databases, state.roles) == ({"shop", "tenant"}, {"shop_app", "t_app"})


def test_a_server_of_its_own() -> None:
    """It goes with the stack."""
    assert state_of({"resources": [resource(f"{DYNAMIC}EmbeddedServer")]}).is_own


def test_a_stack_with_nothing() -> None:
    """A stack that was only created has no server and no salt either where something else encrypts its secrets."""
    state = state_of({})
    assert (state.target, state.is_own, state.databases, state.roles) == (None, False, frozenset(), frozenset())
    assert salt_of({}) == ""
    assert salt_of({"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:x"}}}) == "v1:x"


def test_the_outputs_of_a_stack() -> None:
    """They are those of the resource that the stack is, with secrets in clear, also inside others."""
    outputs = {"host": "h", "dsn": {"shop": secret({"app": "postgresql://app:pw@h/shop"})}}
    others = [resource("postgresql:index/role:Role", name="shop_app"), {"type": "pulumi:providers:postgresql"}]
    deployment = {"resources": [*others, resource("pulumi:pulumi:Stack", **outputs)]}
    assert outputs_of(deployment) == {"host": "h", "dsn": {"shop": {"app": "postgresql://app:pw@h/shop"}}}
    assert outputs_of({}) == {}
