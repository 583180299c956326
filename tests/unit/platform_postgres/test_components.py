"""The components under Pulumi's mocks: names, parents and options of their resources, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi
import pulumi_postgresql as postgresql
import pytest
from pulumi.runtime import mocks
from pulumi.runtime.rpc import UNKNOWN

from infra.migrations.history import file_digests, write_lock
from infra.resources.passwords import Passwords
from infra.settings.model import DatabaseSettings, ModuleSettings
from infra.settings.servers import DockerSettings, EmbeddedSettings, ExternalSettings
from platform_postgres import (
    DatabaseArgs,
    DockerServerArgs,
    EmbeddedServerArgs,
    ExternalServerArgs,
    ModulesArgs,
    PostgresDatabase,
    PostgresServer,
    SqlModules,
)
from tests.unit.program.test_graph import EXTERNAL, PROJECT, SIGNATURE, STACK, Engine, Monitor, names
from tests.unit.program.test_graph import declared as stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

SQL = Path(__file__).parents[3] / "examples" / "shop" / "sql"


@pytest.fixture
def revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run in a folder that has a folder with a revision, and return the name of that one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    file = "versions/0001_baseline.py"
    (tmp_path / "migrations" / file).write_text('revision = "0001"\ndown_revision = None\n', encoding="utf-8")
    write_lock("migrations", file_digests("migrations", [file]))
    return "migrations"


class UnknownUntilCreated(Engine):
    """An engine that knows no output of an external server, as in a preview in which its address is unknown."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        name, outputs = super().new_resource(args)
        if args.typ.endswith("ExternalServer"):
            outputs = {key: value for key, value in outputs.items() if key not in EXTERNAL}
        return name, outputs


class ComponentMonitor(Monitor):
    """Keeps the outputs of components too."""

    def __init__(self, engine: mocks.Mocks) -> None:
        super().__init__()
        self.mocks = engine
        self.outputs: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802 (Pulumi's signature)
        self.outputs[str(request.urn).rpartition("::")[2]] = request.outputs
        return super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType] (untyped)


def declared(program: Callable[[], object], *, preview: bool = False) -> ComponentMonitor:
    """Run a program, and return what reached the engine."""
    engine = UnknownUntilCreated() if preview else Engine()
    monitor = ComponentMonitor(engine)
    mocks.set_mocks(engine, PROJECT, STACK, preview=preview, monitor=monitor)

    def run() -> None:
        program()

    cast("Callable[[], None]", mocks.test(run))()  # pyright: ignore[reportUnknownMemberType] (untyped)
    return monitor


def refusal(program: Callable[[], object]) -> str:
    """Return the message with which a program ends."""
    with pytest.raises(pulumi.RunError) as refused:
        declared(program)
    return str(refused.value)


def test_a_component_is_no_group() -> None:
    """A group of databases is refused with the setting's name: its databases belong to a stack's file."""
    database: Any = {"group": "tenants", "count": 2}
    assert "database.group: is not a setting; a component has one database" in refusal(
        lambda: PostgresDatabase("shop", modules=SQL, database=database)
    )


def test_a_database_is_one_component_with_a_resource_for_each_part() -> None:
    """Every resource is a child of the component, its name begins with the component's, and its type is the stack's."""
    graph = declared(lambda: PostgresDatabase("shop", modules=SQL, extensions=["pg_trgm"])).requests
    assert graph["shop"].type == "platform-postgres:index:PostgresDatabase"
    children = {name: request.type for name, request in graph.items() if names([request.parent]) == ["shop"]}
    assert children.keys() >= {"shop-server", "shop-shop", "shop-shop_owner", "shop-access", "shop-01-tables"}
    assert all(name.startswith("shop-") for name in children)
    by_stack = {name: request.type for name, request in stack(databases=["shop"], extensions=["pg_trgm"]).items()}
    apart = {"pulumi:pulumi:Stack", by_stack["policy"], by_stack["env-file"]}
    assert sorted(children.values()) == sorted(kind for kind in by_stack.values() if kind not in apart)


def test_two_databases_share_a_server() -> None:
    """The second database is created after the first; each has its own roles, and the server is declared once."""

    def program() -> None:
        server = PostgresServer("server")
        PostgresDatabase("shop", server=server, modules=SQL)
        PostgresDatabase("shop_test", server=server, modules=SQL)

    graph = declared(program).requests
    assert [name for name, request in graph.items() if request.type.endswith("EmbeddedServer")] == ["server-server"]
    assert "shop-shop" in names(graph["shop_test-shop_test"].dependencies)
    assert {"shop-shop_app", "shop_test-shop_test_app"} <= set(graph)


def test_two_databases_may_each_have_a_server() -> None:
    """Their servers have different names outside Pulumi too."""

    def program() -> None:
        PostgresDatabase("a", modules=SQL)
        PostgresDatabase("b", modules=SQL)

    graph = declared(program).requests
    assert [graph[name].object["label"] for name in ("a-server", "b-server")] == [f"{STACK}-a", f"{STACK}-b"]


def test_the_options_of_a_component_reach_its_resources() -> None:
    """Its `protect` protects all of them, and a postgresql provider in its options manages roles and databases."""

    def program() -> None:
        provider = postgresql.Provider("mine", host="db.example")
        PostgresDatabase("shop", modules=SQL, opts=pulumi.ResourceOptions(protect=True, providers=[provider]))

    graph = declared(program).requests
    children = [request for name, request in graph.items() if name.startswith("shop-")]
    assert all(request.protect for request in children)
    assert {names([graph[name].provider.rpartition("::")[0]])[0] for name in ("shop-shop", "shop-shop_owner")} == {
        "mine"
    }


def test_the_provider_of_an_outer_component_is_not_used() -> None:
    """It manages another server: a component uses the one of its own server unless its own options name another."""

    def program() -> None:
        provider = postgresql.Provider("outer", host="other.example")
        platform = pulumi.ComponentResource("my:Platform", "platform", {}, pulumi.ResourceOptions(providers=[provider]))
        PostgresDatabase("shop", modules=SQL, opts=pulumi.ResourceOptions(parent=platform))

    graph = declared(program).requests
    assert names([graph["shop-shop_owner"].provider.rpartition("::")[0]]) == ["shop-admin"]
    assert names([graph["shop"].parent]) == ["platform"]


def test_what_holds_data_and_what_is_deleted_first_are_protected_in_a_persistent_database() -> None:
    """As in a persistent stack: the server, the database, and the plan."""
    graph = declared(lambda: PostgresDatabase("shop", modules=SQL, lifecycle="persistent")).requests
    protected = {name for name, request in graph.items() if request.protect}
    assert protected == {"shop-server", "shop-shop", "shop-schema-plan"}


def test_a_component_waits_for_what_it_depends_on() -> None:
    """`depends_on` orders the component, and its children are registered after their parent."""

    def program() -> None:
        first = Passwords("first", roles=["a"], rotation=0)
        PostgresDatabase("shop", modules=SQL, opts=pulumi.ResourceOptions(depends_on=[first]))

    graph = declared(program).requests
    assert names(graph["shop"].dependencies) == ["first"]
    assert list(graph).index("shop") < min(list(graph).index(name) for name in graph if name.startswith("shop-"))


def test_the_address_of_a_server_may_be_unknown_in_a_preview() -> None:
    """Outputs are inputs: what another resource creates is used as it is, and its password is a secret."""

    def program() -> None:
        unknown = cast("pulumi.Output[str]", pulumi.Output(set(), _unknown(), _no()))
        PostgresDatabase(
            "shop",
            modules=SQL,
            server={"kind": "external", "dsn": unknown, "password": pulumi.Output.secret("Pw-known-now")},
        )

    monitor = declared(program, preview=True)
    server = monitor.requests["shop-server"].object
    assert server["dsn"] == UNKNOWN
    assert SIGNATURE in server["password"]
    assert monitor.requests["shop-admin"].object["host"] == UNKNOWN


async def _unknown() -> None:
    return None


async def _no() -> bool:
    return False


def test_the_connection_strings_are_secret_outputs() -> None:
    """`dsns` and `dsn` are secret; the fingerprint is not."""
    outputs = declared(lambda: PostgresDatabase("shop", modules=SQL)).outputs["shop"]
    assert SIGNATURE in outputs["dsns"]
    assert set(outputs["dsns"]["value"]) == {"migrator", "app", "readonly"}
    assert outputs["dsns"]["value"]["app"].startswith("postgresql://shop_app:generated@127.0.0.1:5432/shop")
    assert outputs["fingerprint"] == "catalog1:0"


@pytest.mark.usefixtures("revisions")
def test_modules_of_a_database_that_others_made() -> None:
    """The modules are a chain; address and logins are those of the connection strings, and the passwords are secret."""

    def program() -> None:
        SqlModules(
            "schema",
            {"dsn": "postgresql://deploy@db.example:6432/shop?sslmode=require", "password": "Pw-deploy"},
            modules=SQL,
            owner="shop_owner",
        )

    graph = declared(program).requests
    assert set(graph) == {
        "schema",
        "schema-schema-plan",
        "schema-01-tables",
        "schema-02-indexes",
        "schema-03-constraints",
        "schema-migrations",
        "schema-ready",
    }
    ready = graph["schema-ready"].object
    assert (ready["host"], ready["port"], ready["database"], ready["user"]) == ("db.example", 6432, "shop", "deploy")
    assert SIGNATURE in ready["password"]
    assert SIGNATURE in graph["schema-01-tables"].object["session"]
    assert "schema-01-tables" in names(graph["schema-02-indexes"].dependencies)


def test_modules_beside_those_of_another_program(revisions: str) -> None:
    """The session names both stacks; anything but another stack is refused, and revisions, which one program has."""

    def program(beside: str, migrations: str = "nowhere") -> None:
        modules: ModulesArgs = {"directory": SQL, "migrations": migrations}
        SqlModules("billing", {"dsn": "postgresql://deploy@db/shop"}, modules=modules, beside=beside)

    graph = declared(lambda: program("shop/dev")).requests
    session = json.loads(graph["billing-01-tables"].object["session"]["value"])
    assert session["beside"] == graph["billing-ready"].object["beside"] == "shop/dev"
    own = session["stack"]
    for beside in ("dev", "a/b/c", own):
        assert f'beside: is "{beside}"; must be the project/stack of another program; this one is {own}' in refusal(
            lambda beside=beside: program(beside)
        )
    message = refusal(lambda: program("shop/dev", revisions))
    assert "modules.migrations: is migrations, which has revisions; must be a folder without revisions" in message


def test_wrong_arguments_are_one_message() -> None:
    """All of them are named as they are in the call, and nothing is declared."""

    def program() -> None:
        PostgresDatabase(
            "shop",
            database={"name": "shop", "owner": "pg_owner"},
            server=cast("Any", {"kind": "embedded", "prot": 5432}),
            lifecycle=cast("Any", "forever"),
            modules={"directory": SQL, "wait": cast("Any", pulumi.Output.from_input("1s"))},
        )

    lines = refusal(program).splitlines()
    assert lines[0] == "PostgresDatabase shop: 4 wrong settings; no server and no database was changed"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "database.owner",
        "lifecycle",
        "modules.wait",
        "server.prot",
    ]
    assert 'modules.wait: is "an Output of another resource"; must be a time' in "\n".join(lines)


def test_a_missing_folder_of_modules_is_one_sentence() -> None:
    """It is named with what to do."""
    message = refusal(lambda: PostgresDatabase("shop", modules="nowhere"))
    assert message.startswith("nowhere: cannot be read (No such file or directory); create it or")


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (EmbeddedServerArgs, EmbeddedSettings),
        (DockerServerArgs, DockerSettings),
        (ExternalServerArgs, ExternalSettings),
        (DatabaseArgs, DatabaseSettings),
        (ModulesArgs, ModuleSettings),
    ],
)
def test_the_arguments_are_the_settings(arguments: Any, settings: type[BaseModel]) -> None:  # noqa: ANN401
    """Each group of arguments has the names of a group of settings, no more and no fewer."""
    assert arguments.__required_keys__ | arguments.__optional_keys__ == set(settings.model_fields)
