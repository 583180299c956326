"""Groups of databases in a stack's settings: their names, and what is wrong with them, a line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import SettingsError
from infra.settings.databases import GroupSettings
from infra.settings.loader import settings_of
from infra.settings.problems import NO_NAME_FOR_ROLES
from infra.settings.values import A_DATABASE

if TYPE_CHECKING:
    from pathlib import Path


def group_of(**given: Any) -> GroupSettings:  # noqa: ANN401 (any setting)
    """Return the one group of a stack, called tenants."""
    databases = json.dumps([{"group": "tenants", **given}])
    return settings_of("dev", "project", {"project:databases": databases}).groups[0]


def problems(*databases: object, **settings: object) -> list[str]:
    """Return the lines of the error that these databases are."""
    given = {"databases": list(databases), **settings}
    with pytest.raises(SettingsError) as caught:
        settings_of("dev", "project", {f"project:{name}": json.dumps(value) for name, value in given.items()})
    return [str(problem).removeprefix("project:") for problem in caught.value.problems]


def test_a_number_makes_names_that_stay() -> None:
    """The databases are numbered with three digits; a larger number adds names and changes none."""
    few, many = group_of(count=2).databases, group_of(count=1001).databases
    assert few == ("tenants_001", "tenants_002")
    assert many[:2] == few
    assert many[-1] == "tenants_1001"


def test_a_list_names_the_databases() -> None:
    """Names are taken as they are, in their order."""
    assert group_of(names=["globex", "acme"]).databases == ("globex", "acme")


def test_a_file_names_the_databases(tmp_path: Path) -> None:
    """A file has a name in each line; comments and empty lines count for nothing, a # inside a name does."""
    file = tmp_path / "tenants.txt"
    file.write_text("# customers\nacme\n\n  globex  # since May\na#1\n", encoding="utf-8")
    assert group_of(**{"from": str(file)}).databases == ("acme", "globex", "a#1")


def test_roles_are_named_after_each_database_or_after_the_group() -> None:
    """With own roles a database has four of its own; shared ones are the group's."""
    assert group_of(names=["acme"]).role("acme", "app") == "acme_app"
    assert group_of(names=["acme"], roles="shared").role("acme", "app") == "tenants_app"


def test_all_databases_are_known_by_name() -> None:
    """Groups stand beside single databases, whose names a policy needs together."""
    databases = json.dumps(["shop", {"group": "tenants", "count": 2}])
    settings = settings_of("dev", "project", {"project:databases": databases})
    assert [database.name for database in settings.single_databases] == ["shop"]
    assert settings.database_names == ["shop", "tenants_001", "tenants_002"]


def described(name: str) -> str | None:
    """Return what a setting of a group may be, in its own words."""
    return GroupSettings.model_fields[name].description


TENANTS: dict[str, object] = {"group": "tenants", "count": 2}


@pytest.mark.parametrize(
    ("databases", "lines"),
    [
        ([{"group": "a"}], ["databases.0: names no database; must have one of names, count, from"]),
        (
            [{"group": "a", "count": 1, "names": ["b"]}],
            ["databases.0: has names and count; must have one of names, count, from"],
        ),
        (
            [{"group": "A b", "count": 1}],
            [f'databases.0.group: is "A b"; must be {described("group")}'],
        ),
        (
            [{"group": "a", "count": 0}],
            [f"databases.0.count: is 0; must be {described('count')}"],
        ),
        ([{"group": "a", "count": 1, "cuont": 2}], ["databases.0.cuont: is not a setting; did you mean count?"]),
        ([{"group": "a", "count": 1, "form": "x"}], ["databases.0.form: is not a setting; did you mean from?"]),
        (
            [{"group": "a", "names": ["b", "c?"]}],
            [f'databases.0.names.1: is "c?"; must be {described("names")}'],
        ),
        ([{"group": "a", "names": ["b", "b"]}], ['databases.0.names.1: is "b"; must not be given twice']),
        (["tenants_002", TENANTS], ['databases.1.count: is "tenants_002"; must not be given twice']),
        (
            [TENANTS, {"group": "tenants", "names": ["x"]}],
            ['databases.1.group: is "tenants"; must not be given twice'],
        ),
        (
            [{"group": "a", "names": ["pg_a"]}],
            ['databases.0.names.0: is "pg_a"; ' + NO_NAME_FOR_ROLES.format("the group's roles must be shared")],
        ),
        (
            [{"name": "a", "owner": "tenants_002_app"}, TENANTS],
            ['databases.1.count: is "tenants_002"; must have roles of its own, and tenants_002_app is another\'s'],
        ),
        (
            [{"name": "a", "owner": "tenants_app"}, {**TENANTS, "roles": "shared"}],
            ['databases.1.count: is "tenants_001"; must have roles of its own, and tenants_app is another\'s'],
        ),
        ([{**TENANTS, "paused": ["acme"]}], ['databases.0.paused.0: is "acme"; must be a database of the group']),
        (
            [{**TENANTS, "roles": "common"}],
            [
                (
                    'databases.0.roles: is "common"; must be own (each database has its own four roles) or shared (the '
                    "group has four)"
                )
            ],
        ),
        (
            [{"group": "a", "names": ["postgres"]}],
            ['databases.0.names.0: is "postgres"; must not be PostgreSQL\'s own'],
        ),
    ],
)
def test_what_is_wrong_with_a_group_is_one_line(databases: list[object], lines: list[str]) -> None:
    """Every mistake is named once, with its place and what is allowed."""
    assert problems(*databases)[: len(lines)] == lines
    assert len(problems(*databases)) <= len(lines) + 1


def test_shared_roles_may_have_databases_with_long_names() -> None:
    """No role is named after such a database."""
    assert group_of(names=["x" * 63, "pg_a"], roles="shared").databases == ("x" * 63, "pg_a")


def test_what_is_wrong_with_a_file_names_its_line(tmp_path: Path) -> None:
    """A name that is none, or stands twice, is named with its line; a file that cannot be read with the reason."""
    file = tmp_path / "tenants.txt"
    file.write_text("acme\nb?\nacme\n", encoding="utf-8")
    assert problems({"group": "tenants", "from": str(file)}) == [
        f"databases.0.from.2: is no name of a database; must be {A_DATABASE}",
        "databases.0.from.3: has the name of line 1; must not be given twice",
    ]
    file.write_text("# nobody\n", encoding="utf-8")
    assert problems({"group": "tenants", "from": str(file)})[0].endswith("must be a file with at least one name")
    file.write_bytes(b"\xff\n")
    assert problems({"group": "tenants", "from": str(file)})[0].endswith("(it is not UTF-8)")
    assert problems({"group": "tenants", "from": "not-there.txt"}) == [
        (
            'databases.0.from: is "not-there.txt"; must be a text file with a database\'s name in each line, seen from '
            "Pulumi.yaml, with comments after # (No such file or directory)"
        )
    ]


def test_mistakes_in_a_group_are_found_beside_others() -> None:
    """One message has all of them."""
    found = problems({"group": "tenants", "count": 2, "paused": ["x"]}, lifecycle="x", group_connections=1)
    assert [line.partition(":")[0] for line in found] == ["databases.0.paused.0", "group_connections", "lifecycle"]
