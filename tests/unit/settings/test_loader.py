"""From Pulumi's configuration to settings; what is wrong is one message with a line for each problem, and no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.errors import SettingProblem, SettingsError
from infra.settings.loader import settings_of
from infra.settings.model import ModuleSettings, Settings
from infra.settings.problems import HIDDEN_KEY, SHOWN_CHARACTERS
from infra.settings.servers import EmbeddedSettings

if TYPE_CHECKING:
    from pathlib import Path


def configuration(**given: object) -> dict[str, str]:
    """Return a stack's configuration as Pulumi hands it over: texts as they are, everything else as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return {f"project:{name}": text for name, text in texts.items()}


def read(**given: object) -> Settings:
    return settings_of("dev", "project", configuration(**given))


def refusal(config: dict[str, str], *secret_keys: str) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        settings_of("dev", "project", config, set(secret_keys))
    return refused.value


def lines(*secret_keys: str, **given: object) -> list[str]:
    """Return the problems with these settings, which are a line each."""
    refused = refusal(configuration(**given), *secret_keys)
    first, *rest = str(refused).split("\n")
    count = len(refused.problems)
    assert (
        first
        == f"Pulumi.dev.yaml: {count} wrong setting{'s' if count > 1 else ''}; no server and no database was changed"
    )
    assert rest == [f"  {problem}" for problem in refused.problems]
    return [line.removeprefix("  project:") for line in rest]


def test_nothing_given_is_all_defaults() -> None:
    """A stack without a line of configuration has two databases, named after the project and it, and every default."""
    assert read() == Settings.model_validate({"databases": ["project_dev", "project_dev_test"]})


def test_values_have_the_types_that_pulumi_took_from_them() -> None:
    """Lists, groups, numbers, true and false arrive as JSON in text, texts as they are."""
    settings = settings_of(
        "dev",
        "project",
        {
            "project:lifecycle": "persistent",
            "project:server": '{"kind":"embedded","port":5433,"settings":{"jit":false,"max_connections":50}}',
            "project:databases": '["shop",{"name":"blog","owner":"writer"}]',
            "project:env_file": "false",
            "project:password_rotation": "3",
        },
    )
    assert settings.lifecycle == "persistent"
    assert settings.server == EmbeddedSettings(port=5433, settings={"jit": "off", "max_connections": "50"})
    assert [(database.name, database.owner) for database in settings.single_databases] == [
        ("shop", "shop_owner"),
        ("blog", "writer"),
    ]
    assert (settings.env_file, settings.password_rotation) == (None, 3)


def test_keys_of_others_are_left_alone() -> None:
    """Keys of Pulumi's own, of providers and of a project with a longer name are nobody's mistake here."""
    others = {"pulumi:tags": "{}", "postgresql:host": "x", "aws:region": "y", "project2:lifecycle": "z"}
    assert settings_of("dev", "project", others) == read()


def test_six_wrong_settings_are_one_message_with_six_lines() -> None:
    """Every wrong value, unknown key and name given twice is in one message, with key, value and what is allowed."""
    refused = refusal(
        configuration(
            lifecycle="forever",
            server={"port": 70000, "prot": 1},
            databases=["app_db", "postgres", "app_db"],
            password_rotation="often",
        )
    )
    assert refused.exit_status == 1
    assert str(refused) == (
        "Pulumi.dev.yaml: 6 wrong settings; no server and no database was changed\n"
        '  project:databases.1.name: is "postgres"; must not be PostgreSQL\'s own\n'
        '  project:databases.2.name: is "app_db"; must not be given twice\n'
        '  project:lifecycle: is "forever"; '
        "must be ephemeral (may be rebuilt and removed) or persistent (nothing is ever dropped)\n"
        '  project:password_rotation: is "often"; '
        "must be a whole number from 0; a new one gives every role a new password\n"
        "  project:server.port: has a wrong value (a number); "
        "must be a port of 127.0.0.1 from 1024 to 65535, or 0 for a free one that is then kept\n"
        "  project:server.prot: is not a setting; did you mean port?"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"lifecycle": True}, "lifecycle: is true; must be ephemeral "),
        ({"lifecycle": None}, "lifecycle: is null; must be ephemeral "),
        ({"lifecycle": {"a": 1}}, "lifecycle: has a wrong value (a map); must be ephemeral "),
        (
            {"server": "embedded"},
            "server: has a wrong value (a text); must be a server: its kind and what belongs to that",
        ),
        ({"server": ["embedded"]}, "server: has a wrong value (a list); must be a server: "),
        ({"server": {"kind": "podman"}}, "server.kind: has a wrong value (a text); must be embedded"),
        (
            {"server": {"port": "5432"}},
            "server.port: has a wrong value (a text); must be a port of 127.0.0.1 from 1024 to 65535",
        ),
        ({"server": {"data_root": "data"}}, "server.data_root: has a wrong value (a text); must be an absolute path "),
        (
            {"server": {"settings": {"port": None}}},
            "server.settings.port: has a wrong value (null); must be server settings by name",
        ),
        (
            {"server": {"settings": {"a": ["b"]}}},
            "server.settings.a: has a wrong value (a list); must be server settings by name",
        ),
        (
            {"server": {"settings": "a=b"}},
            "server.settings: has a wrong value (a text); must be server settings by name",
        ),
        ({"server": {"retain": "perhaps"}}, "server.retain: has a wrong value (a text); must be true keeps"),
        ({"server": {"retain": "yes"}}, "server.retain: has a wrong value (a text); must be true keeps"),
        ({"server": {"adopt": 1}}, "server.adopt: has a wrong value (a number); must be true takes over"),
        (
            {"server": {"kind": "docker", "restart": False}},
            'server.restart: has a wrong value (false); must be "no" (in',
        ),
        ({"databases": "shop"}, 'databases: is "shop"; must be a list of at least one database'),
        ({"databases": []}, "databases: is []; must be a list of at least one database"),
        ({"databases": [5]}, "databases.0: is 5; must be a list of at least one database"),
        (
            {"databases": ["a", "b", {"owner": "c"}]},
            "databases.2.name: is missing; give a PostgreSQL name of 1 to 63 bytes",
        ),
        ({"databases": ["a", "b?"]}, 'databases.1.name: is "b?"; must be a PostgreSQL name of 1 to 63 bytes without'),
        ({"databases": [{"name": "a", "app": ""}]}, 'databases.0.app: is ""; must be a PostgreSQL name of 1 to 63 b'),
        (
            {"databases": ["é" * 32]},
            'databases.0.name: is "éééééééééééééééééééééééééééééééé"; must be a PostgreSQL name',
        ),
        ({"extensions": [1]}, "extensions.0: is 1; must be a list of names of extensions"),
        ({"modules": {"wait": 60}}, "modules.wait: is 60; must be a time such as 500ms, 10s, 5min or 1h"),
        ({"env_file": True}, "env_file: is true; must be the name of a file "),
        ({"env_file": "{user}"}, 'env_file: is "{user}"; must be the name of a file '),
        ({"password_rotation": 1.5}, "password_rotation: is 1.5; must be a whole number from 0"),
    ],
)
def test_a_wrong_value_is_one_line_with_key_value_and_what_is_allowed(given: dict[str, object], line: str) -> None:
    """Whatever is wrong with a value, it is one line that names the setting, shows the value and says what may be."""
    (found,) = lines(**given)
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"servr": {}}, "servr: is not a setting; did you mean server?"),
        ({"Lifecycle": "persistent"}, "Lifecycle: is not a setting; did you mean lifecycle?"),
        ({"server": {"binDir": "/x"}}, "server.binDir: is not a setting; did you mean bin_dir?"),
        ({"databases": [{"name": "a", "ovner": "b"}]}, "databases.0.ovner: is not a setting; did you mean owner?"),
        (
            {"modules": {"x": 1}},
            f"modules.x: is not a setting; known: {', '.join(sorted(ModuleSettings.model_fields))}",
        ),
        ({"x": 1}, f"x: is not a setting; known: {', '.join(sorted(Settings.model_fields))}"),
    ],
)
def test_an_unknown_key_is_one_line_with_what_may_be_meant(given: dict[str, object], line: str) -> None:
    """A key that nobody reads is refused at every level, with the nearest known one, or all that there are."""
    assert lines(**given) == [line]


def test_keys_and_values_are_one_line_each_and_not_too_long() -> None:
    """Line ends and control characters are shown as escapes, and a long value is cut."""
    assert lines(lifecycle="a\nb") == lines(lifecycle="a\nb")[:1]
    assert lines(lifecycle="a\nb\x85\u2028")[0].startswith('lifecycle: is "a\\nb\\u0085\\u2028"; must be ')
    assert lines(**{"a\nb": 1})[0].startswith(f"{HIDDEN_KEY}: is not a setting; known: ")
    (long,) = lines(lifecycle="ä" * 100)
    assert long.startswith('lifecycle: is "' + "ä" * (SHOWN_CHARACTERS - 2) + "…; must be ")


def test_secret_values_are_never_shown() -> None:
    """A value that the stack keeps as a secret is not in any message, whatever is wrong with it or inside it."""
    assert lines("project:lifecycle", lifecycle="hunter2")[0].startswith("lifecycle: is [secret]; must be ephemeral ")
    assert lines("project:server", server={"settings": {"a": ["hunter2"]}}) == [
        (
            "server.settings.a: is [secret]; "
            "must be server settings by name, as in postgresql.conf: text, numbers, true or false"
        )
    ]
    assert lines("project:databases", databases=["hunter2", "hunter2"]) == [
        "databases.1.name: is [secret]; must not be given twice"
    ]
    assert lines("project:databases", databases=["pg_hunter2"])[0].startswith("databases.0.name: is [secret]; ")
    assert lines("project:extensions", extensions=["hunter2", "hunter2"]) == [
        "extensions.1: is [secret]; must not be given twice"
    ]
    assert "hunter2" not in str(refusal(configuration(password="hunter2")))
    assert "hunter2" not in str(refusal(configuration(server={"password": "hunter2"})))


def test_other_values_are_shown_where_one_is_secret() -> None:
    """A secret hides itself and nothing beside it."""
    shown = lines("project:lifecycle", "other:password_rotation", lifecycle="hunter2", password_rotation=-1)
    assert [line.partition(";")[0] for line in shown] == ["lifecycle: is [secret]", "password_rotation: is -1"]


def test_a_database_given_twice_is_one_problem() -> None:
    """The second of two databases with one name is refused once, and not for its four roles as well."""
    assert lines(databases=["a", {"name": "a"}]) == ['databases.1.name: is "a"; must not be given twice']


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
def test_databases_of_postgresqls_own_are_refused(name: str) -> None:
    """A stack makes and removes its databases, so that they cannot be those that every server has."""
    assert lines(databases=[name]) == [f'databases.0.name: is "{name}"; must not be PostgreSQL\'s own']


def test_every_role_is_one_databases_own() -> None:
    """A role that two databases name, or one twice, or that is the admin's, is refused where it comes again."""
    assert lines(
        databases=[
            {"name": "a", "app": "x", "readonly": "x"},
            {"name": "b", "owner": "a_owner"},
            {"name": "c", "migrator": "postgres"},
        ]
    ) == [
        'databases.0.readonly: is "x"; must be a role of its own',
        'databases.1.owner: is "a_owner"; must be a role of its own',
        'databases.2.migrator: is "postgres"; must be a role of its own',
    ]


@pytest.mark.parametrize("name", ["x" * 55, "x" * 58, "x" * 63, "pg_a"])
def test_a_database_after_which_no_role_can_be_named_is_one_problem(name: str) -> None:
    """A name that is right for a database and makes none for its roles is refused once, with the ways out."""
    shown = f'"{name}"' if len(name) < SHOWN_CHARACTERS - 1 else f'"{name}'[: SHOWN_CHARACTERS - 1] + "…"
    (line,) = lines(databases=[name])
    assert line == (
        f"databases.0.name: is {shown}; must be a name to which _readonly can be added and that does not begin with "
        "pg_, or its roles must be named"
    )
    assert read(databases=["x" * 54]).single_databases[0].readonly == "x" * 54 + "_readonly"
    named = {"owner": "a", "migrator": "b", "app": "c", "readonly": "d"}
    assert read(databases=[{"name": name, **named}]).single_databases[0].readonly == "d"


@pytest.mark.parametrize("stack", ["s" * 41, "s" * 64, "s" * 100])
def test_a_stack_with_a_long_name_has_short_databases(stack: str) -> None:
    """Names that would be too long for their roles are shortened with a digest, so that no two stacks share them."""
    names = [database.name for database in settings_of(stack, "project", {}).single_databases]
    assert len(set(names)) == 2
    assert names != [database.name for database in settings_of(f"{stack}a", "project", {}).single_databases]
    assert all(len(f"{name}_migrator") <= 63 for name in names)


def test_an_extension_given_twice_is_one_problem() -> None:
    """An extension comes once."""
    assert lines(extensions=["a", "b", "a"]) == ['extensions.2: is "a"; must not be given twice']


def test_names_that_clash_are_found_beside_other_mistakes() -> None:
    """What only shows when settings are seen together is said together with what is wrong with others."""
    assert [line.partition(":")[0] for line in lines(databases=["a", "a"], extensions=["b", "b"], lifecycle="x")] == [
        "databases.1.name",
        "extensions.1",
        "lifecycle",
    ]
    assert [line.partition(":")[0] for line in lines(databases=["a", "a", 5], extensions=["b", "b"])] == [
        "databases.1.name",
        "databases.2",
        "extensions.1",
    ]


def test_problems_are_values() -> None:
    """Each problem has its key, what was found and what is required, for those who show them otherwise."""
    assert refusal(configuration(servr=1, databases=[])).problems == [
        SettingProblem(
            "project:databases",
            "is []",
            "must be a list of at least one database: names, names with the names of their roles, or groups of them",
        ),
        SettingProblem("project:servr", "is not a setting", "did you mean server?"),
    ]


def test_problems_come_in_the_order_of_the_keys() -> None:
    """Problems are sorted by key, the tenth of a list after the second."""
    wrong = [""] * 11
    assert [line.partition(":")[0] for line in lines(databases=wrong, lifecycle="x")] == [
        *(f"databases.{number}.name" for number in range(11)),
        "lifecycle",
    ]


def test_the_first_two_databases_may_leave_their_names_to_the_stack(tmp_path: Path) -> None:
    """So a template gives them a seed or further settings, and each stack made of it has names of its own."""
    (tmp_path / "seed.sql").touch()
    names = settings_of("pr-1", "shop", {"shop:databases": json.dumps([{"seed": str(tmp_path / "seed.sql")}, {}])})
    assert names.database_names == ["shop_pr_1", "shop_pr_1_test"]
    assert names.single_databases[0].owner == "shop_pr_1_owner"


def test_a_seed_is_a_file_and_of_an_ephemeral_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is missing and a persistent stack are refused, as every wrong setting."""
    monkeypatch.chdir(tmp_path)
    missing = 'databases.0.seed: is "seed.sql"; must be a file that exists, seen from Pulumi.yaml'
    assert lines(databases=[{"name": "a", "seed": "seed.sql"}]) == [missing]
    assert lines(databases=[{"group": "a", "count": 2, "seed": "seed.sql"}]) == [missing]
    (tmp_path / "seed.sql").touch()
    assert lines(databases=[{"name": "a", "seed": "seed.sql"}], lifecycle="persistent") == [
        'databases.0.seed: is "seed.sql"; must not be set for a persistent stack: write a revision'
    ]


@pytest.mark.parametrize("text", ["{", "[1,", "NaN", "-Infinity", "0123", "1" * 5000, "{'a': 1}", "\\", ""])
def test_a_text_that_is_no_json_is_a_text(text: str) -> None:
    """What only looks like JSON is the text that somebody wrote."""
    shown = json.dumps(text)
    shown = shown if len(shown) <= SHOWN_CHARACTERS else shown[: SHOWN_CHARACTERS - 1] + "…"
    assert lines(lifecycle=text)[0].startswith(f"lifecycle: is {shown}; must be ")


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ({"dsn": "postgresql://admin:hunter2@db/postgres"}, ["server.dsn"]),
        ({"dsn": "host=db password=hunter2"}, ["server.dsn"]),
        ({"dsn": "host=db", "password": "hunter2"}, ["server.password"]),
        ({"dsn": "postgresql://admin@db/postgres"}, []),
        ({"dsn": "postgresql://admin@db:5432/postgres?sslmode=verify-full"}, []),
        ({"dsn": "host=db passfile=/x"}, []),
        ({"dsn": "host=db", "password_variable": "X"}, []),
    ],
)
def test_an_administrators_password_is_never_in_plain_text(server: dict[str, str], found: list[str]) -> None:
    """One that anybody could read in the stack's file is refused, without showing it; as a secret it is taken."""
    given = configuration(server={"kind": "external", **server})
    if found:
        problems = refusal(given).problems
        assert [problem.key for problem in problems] == [f"project:{key}" for key in found]
        assert "hunter2" not in str(refusal(given))
        assert "pulumi config set --secret --path server.password" in problems[0].required
    assert settings_of("dev", "project", given, {"project:server"}).server.kind == "external"


def test_the_kind_of_server_decides_what_may_be_set() -> None:
    """An unknown kind is one line with the kinds there are; a key of another kind is not a setting."""
    assert lines(server={"kind": "cloud"}) == [
        "server.kind: has a wrong value (a text); must be embedded, docker or external"
    ]
    assert lines(server={"kind": "external", "dsn": "host=a", "port": 1}) == [
        "server.port: is not a setting; known: accept, adopt, dsn, kind, password, password_file, password_variable"
    ]
    assert lines(server={"kind": "external"})[0].startswith(
        "server.dsn: is missing; give how an administrator connects"
    )


def test_only_names_of_the_stack_are_taken_over() -> None:
    """A name in server.adopt that is neither a database nor a role of the stack is a mistake."""
    server = {"kind": "external", "dsn": "host=a", "adopt": ["shop", "shop_app", "shop_ap"]}
    assert lines(server=server, databases=["shop"]) == [
        "server.adopt.2: has a wrong value (a text); must be a database or role of this stack"
    ]


def test_a_wrong_setting_hides_no_other() -> None:
    """What is wrong beside or inside a wrong group, kind, list or required value is told in the same message."""
    problems = lines(
        lifecycle="forever",
        server={"kind": "embeded", "port": 5, "retain": "yes", "settings": {"a": None}, "prot": 1},
        databases=["a", {"name": 7, "ovner": "b"}, "a", {"owner": "c"}, {"name": "d", "app": ""}],
        modules={"wait": 5, "lock_timeout": "0s", "live_check": "no"},
        extensions=["x", 1, "x"],
    )
    assert [line.partition(": ")[0] for line in problems] == [
        "databases.1.name",
        "databases.1.ovner",
        "databases.2.name",
        "databases.3.name",
        "databases.4.app",
        "extensions.1",
        "extensions.2",
        "lifecycle",
        "modules.live_check",
        "modules.lock_timeout",
        "modules.wait",
        "server.kind",
        "server.port",
        "server.prot",
        "server.retain",
        "server.settings.a",
    ]
    assert problems[11].endswith("must be embedded, docker or external (did you mean embedded?)")
