"""The real declaration under Pulumi's mocks: what is declared, in which order, and what is guarded and secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import pulumi
import pytest
from pulumi.runtime import mocks
from pulumi.runtime import settings as runtime
from pulumi.runtime.proto import callback_pb2

from infra.migrations.history import LOCK_FILE
from infra.modules.module import Module
from infra.program.policy import declare_policy
from infra.program.stack import declare
from infra.program.template import is_cloned
from infra.settings.loader import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PROJECT, STACK = "platform-postgres", "test"
SERVER: dict[str, Any] = {
    "host": "127.0.0.1",
    "listen_port": 5432,
    "version": "17",
    "certificate": "/server.crt",
    "log_file": "",
    "psql": "",
    "uuid_ossp": "",
}
EXTERNAL: dict[str, Any] = {
    "host": "db.example",
    "port": 5432,
    "first_host": "db.example",
    "first_port": 5432,
    "user": "admin",
    "database": "postgres",
    "version": "17",
    "superuser": False,
    "sslmode": "require",
    "options": {},
}
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""Pulumi's mark of a secret."""


OUTPUTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("EmbeddedServer", "DockerPlan", "DockerServer"), SERVER),
    "ExternalServer": EXTERNAL,
    "ServerCertificate": {"path": "/server.crt", "certificate": "…", "key": "…"},
    "DockerEngine": {"host": "unix:///var/run/docker.sock", "server_host": "127.0.0.1"},
    "RemoteImage": {"imageId": "sha256:0"},
    "SqlModule": {"statements_digest": "tokens1:0"},
    "SchemaReady": {"fingerprint": "catalog1:0", "tables": 0, "unmanaged": []},
    "GroupKey": {"key": {SIGNATURE: SECRET, "value": "generated"}},
    "DatabaseGroup": {"failed": {}, "drops": {}},
    "GroupMigrations": {"failed": {}, "outcome": "nothing to do"},
    "GroupSeed": {"failed": {}, "outcome": "inserted: 1"},
    "GroupModule": {"statements_digest": "tokens1:0", "failed": {}, "outcome": "apply: 1"},
    "GroupReady": {"fingerprints": {}, "failed": {}},
}
"""What resources put out beside what they were asked for, by the last part of their type."""


class Engine(mocks.Mocks):
    """An engine that gives every resource what it asked for, and the outputs that the others wait for."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(cast("dict[str, Any]", args.inputs))  # pyright: ignore[reportUnknownMemberType] (untyped)
        outputs |= OUTPUTS.get(args.typ.rpartition(":")[2], {})
        if args.typ.endswith("Passwords"):
            known = {SIGNATURE: SECRET, "value": dict.fromkeys(outputs["roles"], "generated")}
            outputs |= {"passwords": known, "verifiers": known}
        return args.name, outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:  # noqa: ARG002 (Pulumi's signature)
        return {}, None


class Monitor(mocks.MockMonitor):
    """Keeps the requests as they are sent."""

    def __init__(self) -> None:
        super().__init__(Engine())
        self.requests: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 (Pulumi's signature)
        self.requests[request.name] = request
        return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType] (untyped)


class Callbacks:
    """Takes the functions that a program gives the engine to call; Pulumi's mocks have no such place."""

    def register_transform(self, _function: object) -> callback_pb2.Callback:
        return callback_pb2.Callback(token="transform")

    def register_resource_hook(self, _hook: object) -> None:
        pass


def declared(files: int = 3, **settings: object) -> dict[str, Any]:
    """Declare a stack, and return the requests that reached the engine, by the resources' names."""
    monitor = Monitor()
    mocks.set_mocks(Engine(), PROJECT, STACK, preview=False, monitor=monitor)
    setattr(runtime.SETTINGS, "callbacks", Callbacks())  # noqa: B010 (declared with another type)
    given = settings_of(STACK, PROJECT, {f"{PROJECT}:{name}": json.dumps(value) for name, value in settings.items()})
    modules = [
        Module(number, f"{number:02}-module", f"sql/{number:02}-module.sql", f"SELECT {number};\n")
        for number in range(1, files + 1)
    ]

    def run() -> None:
        declare(given, modules, declare_policy(given), stack=STACK)

    cast("Callable[[], None]", mocks.test(run))()  # pyright: ignore[reportUnknownMemberType] (untyped)
    monitor.requests.pop(f"{PROJECT}-{STACK}", None)  # the root, which the SDK registers once in a process
    return monitor.requests


def names(urns: Any) -> list[str]:  # noqa: ANN401 (a list of a message)
    """Return the names in URNs."""
    return [str(urn).rpartition("::")[2] for urn in urns]


@pytest.fixture(scope="module")
def graph() -> Mapping[str, Any]:
    """Return the graph of an ephemeral stack with one database and three modules."""
    return declared(databases=["app_db"], extensions=["pgcrypto"])


def test_what_is_declared_for_a_database(graph: Mapping[str, Any]) -> None:
    """A database is its roles, its privileges, its extensions, a resource for each module, and the point after them."""
    assert set(graph) >= {
        "policy",
        "server",
        "app_db",
        "app_db_owner",
        "app_db_migrator",
        "app_db_app",
        "app_db_readonly",
        "app_db-access",
        "app_db-extensions",
        "app_db-ready",
        "env-file",
    }
    assert [name for name in graph if name.endswith("-module")] == [f"app_db-0{number}-module" for number in (1, 2, 3)]


def test_each_module_waits_for_the_one_before_it(graph: Mapping[str, Any]) -> None:
    """The modules are a chain that begins after the extensions and ends in the schema's readiness."""
    waits = {name: names(request.dependencies) for name, request in graph.items()}
    assert "app_db-01-module" in waits["app_db-02-module"]
    assert "app_db-02-module" in waits["app_db-03-module"]
    assert "app_db-03-module" in waits["app_db-ready"]
    assert "app_db-01-module" not in waits["app_db-03-module"]
    assert "app_db-ready" in waits["env-file"]


def test_databases_are_created_one_after_the_other() -> None:
    """Two at once wait for each other for ever in the released postgresql plugin, with its pool of two connections."""
    databases = ["first_db", "second_db", "third_db"]
    servers: list[dict[str, str]] = [{"kind": "embedded"}, {"kind": "external", "dsn": "postgresql://admin@db.example"}]
    for server in servers:
        graph = declared(databases=databases, server=server)
        waits = {name: names(request.dependencies) for name, request in graph.items()}
        assert "first_db" in waits["second_db"]
        assert "second_db" in waits["third_db"]


def test_a_replacement_deletes_before_it_creates(graph: Mapping[str, Any]) -> None:
    """Every resource is one physical thing: created again before it is deleted, it would be deleted at the end."""
    own = {name: request.deleteBeforeReplace for name, request in graph.items() if "dynamic" in request.type}
    assert len(own) > 5
    assert all(own.values())
    assert all(
        graph[name].deleteBeforeReplace for name in ("app_db", "app_db_owner", "app_db_app", "app_db-extensions")
    )


def test_the_plugin_enters_no_database_of_a_stack(graph: Mapping[str, Any]) -> None:
    """Its sessions have the settings of a database's owner: it manages roles and databases, from outside."""
    by_plugin = {request.type for request in graph.values() if request.type.startswith("postgresql:")}
    assert by_plugin == {"postgresql:index/role:Role", "postgresql:index/database:Database"}


def test_what_is_inside_goes_without_a_login(graph: Mapping[str, Any]) -> None:
    """What is in a database goes with it, the database and the roles with the server.

    Who may connect to a database goes before it, so that nobody is in it when it is dropped alone.
    """
    inside = {name: names([request.deletedWith])[0] for name, request in graph.items()}
    assert {inside[name] for name in ("app_db", "app_db_owner", "app_db_app", "app_db-access")} == {"server"}
    assert {inside[name] for name in ("app_db-extensions", "app_db-02-module")} == {"app_db"}


def test_only_a_persistent_stack_is_protected(graph: Mapping[str, Any]) -> None:
    """Server, databases and policy of a persistent stack are protected, but for a database that may be dropped."""
    assert [name for name, request in graph.items() if request.protect] == []
    persistent = declared(databases=["app_db", "old"], lifecycle="persistent", drop_databases=["old"])
    protected = {name for name, request in persistent.items() if request.protect}
    assert protected == {"policy", "server", "app_db", "schema-plan"}


@pytest.mark.parametrize(
    "server", [{"kind": "embedded"}, {"kind": "docker"}, {"kind": "external", "dsn": "postgresql://admin@db.example"}]
)
def test_a_removal_begins_with_a_protected_resource(server: dict[str, str]) -> None:
    """Everything of a persistent stack is in front of the plan, which is protected: nothing is deleted before it."""
    databases = ["first_db", {"group": "tenants", "count": 2}]
    graph = declared(databases=databases, lifecycle="persistent", server=server)
    before, found = {"schema-plan"}, set[str]()
    while before:
        found |= before
        before = {
            name
            for reached in before
            for name in (
                *names(graph[reached].dependencies),
                graph[reached].provider.rpartition("::")[0].rpartition("::")[2],
            )
            if name in graph
        } - found
    assert graph["schema-plan"].protect
    assert set(graph) - found == set()


def test_passwords_are_sent_as_secrets_only(graph: Mapping[str, Any]) -> None:
    """Every password that a resource is given is marked secret, those inside a module's session too."""
    marked = [
        graph["server"].object["password"],
        graph["app_db_app"].object["password"],
        graph["admin"].object["password"],
        graph["app_db-ready"].object["password"],
        graph["env-file"].object["content"],
        graph["app_db-01-module"].object["session"],
    ]
    assert [SIGNATURE in value for value in marked] == [True] * len(marked)
    assert list(graph["app_db-passwords"].additionalSecretOutputs) == ["passwords", "verifiers"]


def test_the_texts_of_modules_are_sent_once() -> None:
    """However many databases there are, one resource has the texts; a module in a database has its digest."""
    graph = declared(databases=["first_db", "second_db"])
    assert graph["schema-plan"].object["texts"] == {f"0{number}-module": f"SELECT {number};\n" for number in (1, 2, 3)}
    sent = [name for name, request in graph.items() if "SELECT 2;" in str(request.object)]
    assert sent == ["schema-plan"]


def test_what_is_sent_does_not_grow_with_the_square_of_the_modules() -> None:
    """A module costs the same to send and to store, be it the eighth or the fortieth."""
    few, many = (
        sum(request.ByteSize() for request in declared(files=count, databases=["app_db"]).values()) for count in (8, 40)
    )
    assert many - few < 40 * (declared(files=8, databases=["app_db"])["app_db-08-module"].ByteSize() + 200)
    large = declared(files=40, databases=["app_db"])
    assert large["app_db-40-module"].ByteSize() - large["app_db-02-module"].ByteSize() < 50


@pytest.mark.full
def test_a_thousand_modules_can_be_declared() -> None:
    """The SDK looks for circles by recursion: a chain must not get deeper with each module."""
    assert "app_db-1100-module" in declared(files=1100, databases=["app_db"])


def test_the_stack_puts_out_no_password_in_plain_text() -> None:
    """What the declaration exports and what holds a password are secret outputs."""
    exported: dict[str, pulumi.Output[Any]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi, "export", exported.__setitem__)
        declared(databases=["app_db"])
    assert {"host", "port", "databases", "roles", "dsn", "connections", "fingerprint"} <= set(exported)
    assert "groups" not in exported


def test_a_further_role_is_a_login_of_every_database() -> None:
    """It is a member of the role that it inherits from, and has a password and connections of its own."""
    graph = declared(databases=["app_db", "app_test"], roles={"reporting": {}, "etl": {"inherits": "app"}})
    assert list(graph["app_test_reporting"].object["roles"]) == ["app_test_readonly"]
    assert list(graph["app_db_etl"].object["roles"]) == ["app_db_app"]
    assert SIGNATURE in graph["app_db_etl"].object["password"]
    assert list(graph["app_db-passwords"].object["roles"])[-2:] == ["app_db_reporting", "app_db_etl"]
    further = dict(graph["app_db-access"].object["further"])
    assert further == {"app_db_reporting": "app_db_readonly", "app_db_etl": "app_db_app"}
    assert "APP_TEST_REPORTING_DSN" in graph["env-file"].object["content"]["value"]


def test_an_environments_mark_is_on_all_that_the_stack_creates() -> None:
    """Databases and every role of them, those of groups and further ones too; not on what the stack has taken over."""
    mark = declared(
        expires="2026-12-31T12:00:00Z",
        server={"kind": "external", "dsn": "host=db.example", "adopt": ["old", "old_owner"]},
        databases=["new", "old", {"group": "tenants", "names": ["a", "b"], "roles": "shared"}],
        roles={"reporting": {"inherits": "readonly"}},
    )["environment-mark"].object
    four = ("app", "migrator", "owner", "readonly")
    expected = [f"{name}_{role}" for name in ("new", "old", "tenants") for role in (*four, "reporting")]
    assert list(mark["databases"]) == ["new", "a", "b"]
    assert list(mark["roles"]) == sorted(role for role in expected if role != "old_owner")
    assert (mark["stack"], mark["expires"]) == (STACK, "2026-12-31T12:00:00Z")


def group_of(count: int, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 (any setting)
    """Declare a stack with a single database and a group, and return the requests."""
    return declared(databases=["app_db", {"group": "tenants", "count": count}], **settings)


def test_only_an_environment_on_a_server_that_is_there_has_clones(tmp_path: Path) -> None:
    """Each database is made the stack's own after its extensions and before its modules."""
    external = {"kind": "external", "dsn": "host=db.example"}
    expires = "2026-12-31T12:00:00Z"
    (tmp_path / LOCK_FILE).write_text("versions/0001_first.py 0\n", encoding="utf-8")
    modules = {"migrations": str(tmp_path)}
    graph = declared(databases=["app_db"], extensions=["pgcrypto"], server=external, expires=expires, modules=modules)
    assert "app_db-extensions" in names(graph["app_db-clone"].dependencies)
    assert "app_db-clone" in names(graph["app_db-migrations"].dependencies)
    assert re.fullmatch("environments_template_[0-9a-f]{12}", graph["shared-objects"].object["template"])
    for graph in (
        declared(databases=["app_db"], server=external),
        declared(databases=["app_db"], expires=expires),
    ):
        assert "app_db-clone" not in graph
        assert "template" not in graph["shared-objects"].object


def test_databases_with_private_schemas_are_no_clones() -> None:
    """A clone's roles are granted what default privileges would have granted, which those schemas are kept from."""
    given = {"server": {"kind": "external", "dsn": "host=db.example"}, "expires": "2026-12-31T12:00:00Z"}
    for further, expected in (({}, True), ({"modules": {"private_schemas": ["x"]}}, False)):
        texts = {f"{PROJECT}:{name}": json.dumps(value) for name, value in (given | further).items()}
        assert is_cloned(settings_of(STACK, PROJECT, texts)) is expected


def test_a_group_is_the_same_number_of_resources_however_many_databases_it_has(tmp_path: Path) -> None:
    """A group is a key, its databases, revisions, each module, and their readiness; names are all that grows."""
    (tmp_path / LOCK_FILE).write_text("versions/0001_first.py 0\n", encoding="utf-8")
    few, many = (group_of(count, modules={"migrations": str(tmp_path)}) for count in (2, 200))
    assert set(few) == set(many)
    assert [name for name in few if name.startswith("tenants")] == [
        "tenants-key",
        "tenants",
        "tenants-migrations",
        *(f"tenants-0{number}-module" for number in (1, 2, 3)),
        "tenants-ready",
    ]
    growth = sum(many[name].ByteSize() - few[name].ByteSize() for name in few)
    assert growth < 198 * 5 * len("[0]: tenants_001") * 2


def test_the_modules_of_a_group_are_a_chain() -> None:
    """A group comes after the single databases; each of its modules waits for the one before, the last is its end."""
    graph = group_of(2)
    waits = {name: names(request.dependencies) for name, request in graph.items()}
    assert {"tenants-key", "app_db"} <= set(waits["tenants"])
    assert "tenants" in waits["tenants-01-module"]
    assert "tenants-01-module" in waits["tenants-02-module"]
    assert "tenants-03-module" in waits["tenants-ready"]
    assert names([graph["tenants"].deletedWith]) == ["server"]
    assert names([graph["tenants-02-module"].deletedWith]) == ["tenants"]


def test_the_seed_of_a_group_comes_after_its_modules(tmp_path: Path) -> None:
    """One resource for all of its databases, which stand in no other database's session."""
    seed = tmp_path / "seed.sql"
    seed.write_text("INSERT INTO a VALUES (1);\n")
    graph = declared(databases=["app_db", {"group": "tenants", "count": 2, "seed": str(seed)}])
    waits = {name: names(request.dependencies) for name, request in graph.items()}
    assert "tenants-03-module" in waits["tenants-seed"]
    assert "tenants-seed" in waits["tenants-ready"]


def test_what_a_group_works_with_is_sent_as_a_secret() -> None:
    """The session has the administrator's password and the key of all others; nothing else has one."""
    graph = group_of(2)
    assert all(SIGNATURE in graph[name].object["session"] for name in ("tenants", "tenants-01-module", "tenants-ready"))
    assert list(graph["tenants-key"].additionalSecretOutputs) == ["key"]


def test_a_group_of_a_persistent_stack_is_protected() -> None:
    """It is until every database of it may be dropped; the policy knows the databases by name."""
    assert group_of(2, lifecycle="persistent")["tenants"].protect
    names_of_all = ["tenants_001", "tenants_002"]
    graph = group_of(2, lifecycle="persistent", drop_databases=names_of_all)
    assert not graph["tenants"].protect
    assert list(graph["policy"].object["databases"]) == ["app_db", *names_of_all]


def in_a_container(**server: object) -> dict[str, Any]:
    """Declare a persistent stack in a container; nothing asks an engine."""
    return declared(databases=["app_db"], lifecycle="persistent", server={"kind": "docker", **server})


def test_a_container_is_created_after_everything_was_looked_at() -> None:
    """Engine, image, plan, then volume and network, then the container, then the server that the rest waits for."""
    graph = in_a_container()
    waits = {name: set(names(request.dependencies)) for name, request in graph.items()}
    assert "policy" in waits["engine"]
    assert "engine" in waits["image"]
    assert "image" in waits["server-plan"]
    assert "server-plan" in waits["data"] & waits["network"]
    assert {"data", "network", "server-plan", "initial-password"} <= waits["container"]
    assert "container" in waits["server"]
    assert "server" in waits["shared-objects"]
    assert "shared-objects" in waits["app_db_owner"]
    assert graph["data"].protect
    upload = graph["container"].object["uploads"][0]
    assert SIGNATURE in upload["content"]
    assert SIGNATURE in graph["server"].object["password"]
    assert graph["container"].object["ports"][0]["ip"] == "127.0.0.1"


@pytest.mark.parametrize("server", [{"kind": "embedded"}, {"kind": "docker"}, {"kind": "docker", "tls": True}])
def test_the_plugin_verifies_every_server_of_the_stacks_own(server: dict[str, Any]) -> None:
    """It tells its password to whoever asks, so that no setting turns the verification off."""
    provider = declared(databases=["app_db"], server=server)["admin"]
    assert provider.type == "pulumi:providers:postgresql"
    assert provider.object["sslmode"] == "verify-full"
    assert "sslrootcert" in provider.object


@pytest.mark.parametrize("adopt", [True, False])
def test_the_graph_depends_on_settings_alone(adopt: bool) -> None:  # noqa: FBT001
    """Roles and databases are imported, except where a transform finds them missing when the server was looked at."""
    graphs = [
        in_a_container(adopt=adopt),
        declared(databases=["app_db"], server={"kind": "embedded", "adopt": adopt}),
    ]
    for graph in graphs:
        for name in ("app_db", "app_db_owner", "app_db_migrator"):
            assert graph[name].importId == name
            assert graph[name].transforms
        assert graph["shared-objects"].object["adopt"] is adopt
        assert graph["shared-objects"].hooks.before_create == graph["shared-objects"].hooks.before_update != []
