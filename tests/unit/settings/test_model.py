"""What a stack can be told: every default, and for every setting what is taken and what is not."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from infra.settings.databases import DatabaseSettings, GroupSettings, RoleSettings
from infra.settings.model import BackupSettings, ModuleSettings, Settings, default_databases
from infra.settings.servers import DockerSettings, EmbeddedSettings, ExternalSettings
from infra.settings.values import is_role_name, megabytes

GROUPS: list[type[BaseModel]] = [
    Settings,
    EmbeddedSettings,
    DockerSettings,
    ExternalSettings,
    DatabaseSettings,
    GroupSettings,
    ModuleSettings,
    BackupSettings,
    RoleSettings,
]

LONGEST = "é" * 31 + "x"  # 63 bytes
ABSOLUTE = "/var/lib/x"


def settings(**given: object) -> Settings:
    return Settings.model_validate({"databases": ["shop"], **given})


def is_taken(**given: object) -> bool:
    try:
        settings(**given)
    except ValidationError:
        return False
    return True


def test_the_defaults() -> None:
    """A stack that only names its database gets exactly this."""
    assert settings().model_dump() == {
        "lifecycle": "ephemeral",
        "server": {
            "kind": "embedded",
            "port": 0,
            "data_root": None,
            "bin_dir": None,
            "run_as": None,
            "settings": {},
            "retain": False,
            "adopt": False,
        },
        "databases": (
            {
                "name": "shop",
                "owner": "shop_owner",
                "migrator": "shop_migrator",
                "app": "shop_app",
                "readonly": "shop_readonly",
                "adopt": False,
                "seed": None,
            },
        ),
        "group_connections": 8,
        "roles": {},
        "extensions": (),
        "modules": {
            "directory": "sql",
            "migrations": "migrations",
            "lock_timeout": 10.0,
            "statement_timeout": 600.0,
            "wait": 60.0,
            "live_check": True,
            "strict": None,
            "allow_loss": False,
            "unmanaged": ("table public.alembic_version",),
            "private_schemas": (),
        },
        "backup": {"before_destructive": False, "directory": "backups", "keep": 0},
        "env_file": ".env.{stack}",
        "drop_databases": (),
        "expires": None,
        "password_rotation": 0,
    }


def test_the_defaults_of_a_group_do_not_depend_on_what_is_given_beside_them() -> None:
    """A group of which one setting is given has the same defaults for the others as one that is not given."""
    given = settings(server={"port": 5432}, modules={"directory": "ddl"})
    assert given.server == EmbeddedSettings(port=5432)
    assert given.modules == ModuleSettings(directory="ddl")
    assert given.server.model_dump(exclude={"port"}) == settings().server.model_dump(exclude={"port"})


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_setting_says_what_it_may_be(group: type[BaseModel]) -> None:
    """Each setting has a description, which messages and documentation show after "must be"."""
    assert all(field.description for field in group.model_fields.values())


def test_the_groups_are_all_there_are() -> None:
    """No group of settings is left out of these tests."""

    def below(annotation: Any) -> set[type[BaseModel]]:  # noqa: ANN401 (a type of any form)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = annotation.model_fields.values()
            return {annotation}.union(*(below(field.annotation) for field in fields))
        return set[type[BaseModel]]().union(*map(below, get_args(annotation)))

    assert below(Settings) == set(GROUPS)


@pytest.mark.parametrize(
    "group",
    [settings(), EmbeddedSettings(), DatabaseSettings(name="a"), ModuleSettings()],
    ids=lambda group: type(group).__name__,
)
def test_settings_cannot_be_changed_and_have_no_room_for_more(group: BaseModel) -> None:
    """A value once validated stays, and a key that nobody reads is refused."""
    field = next(iter(type(group).model_fields))
    with pytest.raises(ValidationError, match="Instance is frozen"):
        setattr(group, field, getattr(group, field))
    given: dict[str, Any] = {"databases": ["a"]} if isinstance(group, Settings) else {"name": "a"}
    known = {name: value for name, value in given.items() if name in type(group).model_fields}
    with pytest.raises(ValidationError, match=r"1 validation error.*\n.*\n  Extra inputs are not permitted"):
        type(group).model_validate({**known, "surplus": 1})


TAKEN_AND_NOT: dict[str, tuple[list[Any], list[Any]]] = {
    "lifecycle": (["ephemeral", "persistent"], ["Ephemeral", "", None, True]),
    "server": ([{}, {"kind": "embedded"}], ["embedded", [], None, {"kind": "podman"}, {"prot": 1}]),
    "server.port": ([0, 1024, 5432, 65535], [-1, 1, 1023, 65536, "5432", 5432.0, True, None]),
    "server.data_root": ([ABSOLUTE, None], ["x", "./x", "~/x", "", 1, "/a\nb"]),
    "server.bin_dir": ([ABSOLUTE, None], ["bin", "../bin", "", 1]),
    "server.run_as": (["postgres", LONGEST, None], ["", LONGEST + "x", 1, "a\0b"]),
    "server.settings": (
        [{}, {"a": "b"}, {"a": 1}, {"a": 0.5}, {"a": True}, {"a": ""}],
        [{"a": None}, {"a": ["b"]}, {"a": {}}, [], "a=b"],
    ),
    "server.retain": ([True, False], [None, "perhaps", 2]),
    "server.adopt": ([True, False], [None, "perhaps", 2]),
    "databases": (
        [["a"], ["a", {"name": "b"}], [{"name": "a", "owner": "b", "migrator": "c", "app": "d", "readonly": "e"}]],
        [[], None, "a", {"name": "a"}, [1], [None], [["a"]], [{}], [{"name": "a", "other": "b"}]],
    ),
    "databases.0.name": (["a", "A b", "ä-€", "x/@:#&%", LONGEST], ["", LONGEST + "x", "a\nb", "a\0", "a?b", 1, None]),
    "databases.0.owner": (
        ["a", "A b", LONGEST, "pgx", "Public"],
        ["", LONGEST + "x", "pg_x", "public", "none", "a\nb", 1, None],
    ),
    "extensions": (
        [[], ["a"], ["a", "b"]],
        [None, "a", [""], [1], [{"name": "a"}]],
    ),
    "modules": ([{}], [None, "sql", []]),
    "modules.directory": (["sql", "../sql", ABSOLUTE], ["", "a\0b", 1, None]),
    "modules.lock_timeout": (
        ["1ms", " 10 s ", "596h"],
        ["0s", "0ms", "597h", "10", 10, "1.5s", "-1s", "1d", "s", None, ""],
    ),
    "modules.statement_timeout": (["1ms", "2147483647ms"], ["0min", "2147483648ms", "9" * 5000 + "s", 600, True]),
    "modules.wait": (["0s", "1min"], ["-1s", 60, None]),
    "backup": ([{}], [None, True, "backups"]),
    "backup.before_destructive": ([True, False], ["yes", 1, None]),
    "backup.directory": (["backups", "../b", ABSOLUTE], ["", "a\0b", 1, None]),
    "backup.keep": ([0, 14], [-1, 1.0, "1", True, None]),
    "env_file": (
        [".env", "a/b.{stack}.{stack}", ABSOLUTE, False, None],
        ["", True, 0, 1, "{env}", "{", "}", "{stack!r}", "a\nb"],
    ),
    "expires": (["2026-12-31T12:00:00Z", None], ["2026-12-31", "2026-12-31T12:00:00+01:00", "soon", 1, True]),
    "password_rotation": ([0, 1, 10**9], [-1, 1.0, "1", True, None]),
}


def at(path: str, value: object) -> dict[str, object]:
    """Return the settings in which this value stands at this path, and nothing wrong beside it."""
    top, *below = path.split(".")
    if below[:1] == ["0"]:
        return {top: [{"name": "a", below[1]: value}]}
    return {top: {below[0]: value}} if below else {top: value}


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, cases in TAKEN_AND_NOT.items() for value in cases[0]]
)
def test_taken(path: str, value: object) -> None:
    """These values are taken."""
    assert is_taken(**at(path, value))


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, cases in TAKEN_AND_NOT.items() for value in cases[1]]
)
def test_not_taken(path: str, value: object) -> None:
    """These values are not."""
    assert not is_taken(**at(path, value))


@pytest.mark.parametrize("role", ["owner", "migrator", "app", "readonly"])
def test_all_four_roles_follow_one_rule(role: str) -> None:
    """Each of the four roles is named after the database, can be named otherwise, and has to be a role's name."""
    assert getattr(DatabaseSettings(name="a b"), role) == f"a b_{role}"
    assert getattr(DatabaseSettings.model_validate({"name": "a", role: "somebody"}), role) == "somebody"
    with pytest.raises(ValidationError):
        DatabaseSettings.model_validate({"name": "a", role: "pg_somebody"})


@pytest.mark.parametrize(
    ("roles", "taken"),
    [
        ({"reporting": {}}, True),
        ({"reporting": {"inherits": "app"}, "etl2": {"inherits": "readonly"}}, True),
        ({"Reporting": {}}, False),
        ({"a_b": {}}, False),
        ({"owner": {}}, False),
        ({"reporting": {"inherits": "owner"}}, False),
        (["reporting"], False),
    ],
)
def test_further_roles_end_in_a_word_of_their_own(roles: object, taken: bool) -> None:  # noqa: FBT001 (a case)
    """A further role inherits from app or readonly, and its ending is none of the usual ones."""
    assert is_taken(roles=roles) is taken


@pytest.mark.parametrize(
    ("name", "holds"),
    [("app", True), ("PG_app", True), (LONGEST, True), (LONGEST + "x", False), ("pg_app", False), ("none", False)],
)
def test_role_names(name: str, holds: bool) -> None:  # noqa: FBT001 (a case)
    """A role's name is a name that does not begin with pg_ and is not one of PostgreSQL's words."""
    assert is_role_name(name) is holds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("500ms", 0.5), ("1ms", 0.001), ("10s", 10), ("5min", 300), ("1h", 3600), (" 2 min ", 120)],
)
def test_times_are_seconds(given: str, seconds: float) -> None:
    """A time is written as PostgreSQL writes it, and is seconds from then on."""
    assert settings(modules={"lock_timeout": given}).modules.lock_timeout == seconds


@pytest.mark.parametrize(
    ("given", "written"),
    [("128MB", "128MB"), (True, "on"), (False, "off"), (5, "5"), (0.9, "0.9"), (1e-7, "1e-07"), (-1, "-1"), ("", "")],
)
def test_server_settings_are_written_as_postgresql_conf_has_them(given: object, written: str) -> None:
    """Text stays, true and false are on and off, numbers are digits."""
    assert settings(server={"settings": {"a": given}}).server == EmbeddedSettings(settings={"a": written})


def test_a_bare_name_is_a_database() -> None:
    """A text in the list is the same as a group with that name."""
    assert settings(databases=["a"]) == settings(databases=[{"name": "a"}])


@pytest.mark.parametrize(
    ("given", "name"),
    [(".env.{stack}", ".env.dev"), (".env", ".env"), ("{stack}/{stack}", "dev/dev"), (False, None), (None, None)],
)
def test_the_env_file_is_named_after_the_stack(given: object, name: str | None) -> None:
    """`{stack}` in the name is the stack's; false is no file."""
    env_file = settings(env_file=given).env_file
    assert (env_file.format(stack="dev") if env_file else None) == name


@pytest.mark.parametrize(
    ("stack", "names"),
    [
        ("dev", ["web_shop_dev", "web_shop_dev_test"]),
        ("pr-12", ["web_shop_pr_12", "web_shop_pr_12_test"]),
        ("PR-12.x", ["web_shop_pr_12_x_c50a7f7e", "web_shop_pr_12_x_c50a7f7e_test"]),
    ],
)
def test_databases_are_named_after_project_and_stack(stack: str, names: list[str]) -> None:
    """A stack that names no database gets its own and one for its tests, in letters, digits and underscores."""
    assert default_databases("web-shop", stack) == names
    assert [database.name for database in settings(databases=names).single_databases] == names


def test_two_stacks_of_a_project_never_share_a_database() -> None:
    """Where the name of another stack could lead to the same names, a digest tells them apart."""
    stacks = ["pr-1", "pr_1", "PR-1", "pr.1", "pr--1", "-pr-1", "pr-1-test", "pr-1-test-test", "x" * 70, "x" * 71]
    names = [name for stack in stacks for name in default_databases("web-shop", stack)]
    assert len(set(names)) == len(names)


EXTERNAL: dict[str, tuple[list[Any], list[Any]]] = {
    "dsn": (["host=a", "postgresql://a,b/c"], ["", 1, None, "a\nb"]),
    "password": (["x", None], ["", 1]),
    "password_variable": (["PGPASSWORD", None], ["", 1]),
    "password_file": (["~/.secret", ABSOLUTE, None], ["", 1]),
    "accept": (["7423", None], ["", "12a", 7423, "-1"]),
    "port": ([], [5432]),
}


@pytest.mark.parametrize("name", EXTERNAL)
def test_an_external_server_takes_these(name: str) -> None:
    """A server that is there already has its own settings, and none of the embedded one's."""
    for value, taken in ((value, number == 0) for number, values in enumerate(EXTERNAL[name]) for value in values):
        assert is_taken(server={"kind": "external", "dsn": "host=a", name: value}) is taken, (name, value)
    assert not is_taken(server={"kind": "external"})


NAMES: tuple[list[Any], list[Any]] = (["pg-1", "a_b.c", None], ["", "-a", "a b", "é", "a/b", 1])
DOCKER: dict[str, tuple[list[Any], list[Any]]] = {
    "image": (["postgres:17", "registry.example/pg@sha256:0f"], ["", 1, None, "a\nb"]),
    "container": NAMES,
    "volume": NAMES,
    "network": NAMES,
    "alias": (["db"], ["", None]),
    "port": ([0, 5432], [80, "5432", 65_536]),
    "address": (["127.0.0.1", "0.0.0.0"], ["localhost", "", "::1", None]),
    "docker_host": (["unix:///run/docker.sock", None], [""]),
    "memory": (["512MB", "2GB", None], ["0MB", "512", "1.5GB", 512]),
    "shm_size": (["64MB"], [None, "lots"]),
    "restart": (["no", "always"], ["never", False]),
    "labels": ([{"team": "data"}], [["a"], {"a": 1}]),
    "initdb_args": (["", "--locale=C"], [None]),
    "dsn": ([], ["host=a"]),
}


@pytest.mark.parametrize("name", DOCKER)
def test_a_server_in_a_container_takes_these(name: str) -> None:
    """Names, sizes and addresses are what Docker takes, and everything has a default."""
    for value, taken in ((value, number == 0) for number, values in enumerate(DOCKER[name]) for value in values):
        assert is_taken(server={"kind": "docker", name: value}) is taken, (name, value)
    assert is_taken(server={"kind": "docker"})


def test_sizes_are_megabytes() -> None:
    """Docker is told megabytes."""
    assert [megabytes(size) for size in ("512MB", "2GB")] == [512, 2048]
