"""Comparisons without a server: generated text with the models, extensions with the settings of every stack."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.check.agreement import compare_extensions, compare_generated_files
from infra.check.stack_files import StackExtensions, dsns, extensions_of_stacks, targets, unmanaged_patterns
from infra.errors import InfraError
from infra.findings.finding import Place
from tests.fixture_schema import MODULE_NAMES, SQL, shop

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create the directory of a project with one stack."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  shop:databases:\n    - shop_dev\n", encoding="utf-8")
    return tmp_path


def test_modules_that_are_what_the_models_say_are_current() -> None:
    """Modules as they are generated have no finding; those that are written by hand are not mentioned."""
    current, findings = compare_generated_files(shop().models, shop().settings, SQL)
    assert findings == []
    assert current == dict.fromkeys(MODULE_NAMES[1:], True)


def test_a_changed_module_is_found_at_its_first_line_that_differs(tmp_path: Path) -> None:
    """The finding has the line and the diff; a module that is missing is found too."""
    shutil.copytree(SQL, tmp_path / "sql")
    path = tmp_path / "sql" / "02-init-customers.sql"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if " phone " in line)
    lines[number - 1] = lines[number - 1].replace("varchar", "text")
    path.write_text("".join(lines), encoding="utf-8")
    (tmp_path / "sql" / "07-init-indexes.sql").unlink()
    current, (changed, missing) = compare_generated_files(shop().models, shop().settings, tmp_path / "sql")
    assert [name for name, is_current in current.items() if not is_current] == [path.stem, "07-init-indexes"]
    assert (changed.code, changed.place) == ("C115", Place(str(path), number))
    assert [line for line in changed.detail if " phone " in line and line[0] in "+-"] == [
        f"-{lines[number - 1].rstrip()}",
        f"+{lines[number - 1].rstrip().replace('text', 'varchar')}",
    ]
    assert (missing.code, missing.place.path, missing.place.line) == (
        "C115",
        str(tmp_path / "sql" / "07-init-indexes.sql"),
        1,
    )


def test_the_extensions_of_all_stacks_are_read(root: Path) -> None:
    """Pulumi.yaml may have the extensions of every stack that does not name its own, with the line for it."""
    (root / "Pulumi.yaml").write_text("name: shop\nconfig:\n  extensions: {type: array, default: [citext]}\n")
    (root / "Pulumi.more.yaml").write_text("config:\n  shop:databases: [a]\n", encoding="utf-8")
    (root / "Pulumi.none.yaml").write_text("config:\n  shop:extensions: []\n", encoding="utf-8")
    assert [(stack.source, stack.names, stack.place.line) for stack in extensions_of_stacks(root, root / "sql")] == [
        ("Pulumi.yaml", ("citext",), 3),
        ("Pulumi.none.yaml", (), 2),
    ]


def test_the_extensions_of_a_stacks_file_are_read(root: Path) -> None:
    """With the project's name before the key or without it, with the place of the key, of the folder's stacks alone."""
    (root / "Pulumi.more.yaml").write_text("config:\n  shop:extensions: [citext]\n", encoding="utf-8")
    (root / "Pulumi.plain.yml").write_text("config:\n  extensions:\n    - hstore\n", encoding="utf-8")
    (root / "Pulumi.empty.yaml").write_text("", encoding="utf-8")
    (root / "Pulumi.other.yaml").write_text(
        "config:\n  shop:extensions: [ltree]\n  shop:modules: {directory: other}\n", encoding="utf-8"
    )
    stacks = [stack for stack in extensions_of_stacks(root, root / "sql") if stack.names]
    assert [stack.names for stack in extensions_of_stacks(root, root / "other")] == [("ltree",)]
    assert [(stack.source, stack.names, stack.place.path, stack.place.line) for stack in stacks] == [
        ("Pulumi.more.yaml", ("citext",), "Pulumi.more.yaml", 2),
        ("Pulumi.plain.yml", ("hstore",), "Pulumi.plain.yml", 2),
    ]


@pytest.mark.parametrize(
    ("created", "named", "messages"),
    [
        (["a", "b"], ["b", "a"], []),
        ([], [], []),
        (["a"], [], ["the modules create extension a, which is not in S"]),
        ([], ["a"], ["extension a is in S, but no module creates it"]),
        (
            ["pg_jsonschema"],
            ["pgcrypto"],
            [
                "the modules create extension pg_jsonschema, which is not in S",
                "extension pgcrypto is in S, but no module creates it",
            ],
        ),
    ],
)
def test_extensions_are_compared_by_name(created: list[str], named: list[str], messages: list[str]) -> None:
    """Extensions of only one side are findings, each at its own place; their order does not count."""
    at, stack = Place("sql/01-a.sql", 3), Place("Pulumi.s.yaml", 2)
    findings = compare_extensions(dict.fromkeys(created, at), [StackExtensions("S", stack, tuple(named))])
    assert [finding.message for finding in findings] == messages
    assert [finding.place for finding in findings] == [
        at if "the modules" in message else stack for message in messages
    ]


def test_a_stacks_connection_strings_are_read_from_what_up_wrote(root: Path) -> None:
    """The read-only role's connection string of each database is read from the file that the settings name."""
    (root / ".env.dev").write_text(
        "A=1\n# >>> platform-postgres\nSHOP_DEV_READONLY_DSN=postgresql://r:p@127.0.0.1:1/shop_dev\n"
        "SHOP_DEV_MIGRATOR_DSN=postgresql://m:p@127.0.0.1:1/shop_dev\n"
        "export TWO_READONLY_DSN='postgresql://r:p@127.0.0.1:1/two?x=y'\n",
        encoding="utf-8",
    )
    expected = ["postgresql://r:p@127.0.0.1:1/shop_dev", "postgresql://r:p@127.0.0.1:1/two?x=y"]
    assert dsns(root, "dev", "readonly") == expected
    assert dsns(root, "organization/shop/dev", "readonly") == expected
    (root / "Pulumi.dev.yaml").write_text('config:\n  shop:env_file: "{stack}/env"\n', encoding="utf-8")
    (root / "dev").mkdir()
    (root / ".env.dev").rename(root / "dev" / "env")
    assert dsns(root, "dev", "readonly") == expected


@pytest.mark.parametrize(
    ("server", "host", "asked"),
    [
        ("", "127.0.0.1", True),
        ("{kind: docker}", "10.0.0.7", True),
        ("", "db.example", False),
        ("{kind: external}", "127.0.0.1", False),
    ],
)
def test_a_server_of_the_stacks_own_has_to_prove_that_it_is_that_one(
    root: Path, server: str, host: str, *, asked: bool
) -> None:
    """Whoever else listens on its port is told no password; another server authenticates as its administrator wants."""
    (root / ".env.dev").write_text(f"SHOP_MIGRATOR_DSN=postgresql://m:p@{host}:1/shop?sslmode=prefer\n")
    if server:
        (root / "Pulumi.dev.yaml").write_text(f"config:\n  shop:server: {server}\n", encoding="utf-8")
    (target,) = targets(root, "dev", "migrator")
    proof = {"require_auth": "scram-sha-256"} if asked else {}
    assert (target.host, target.options) == (host, {"sslmode": "prefer", **proof})


@pytest.mark.parametrize(
    ("file", "stack", "what"),
    [
        ("", "dev", "cannot be read (No such file or directory); run `make up STACK=dev`"),
        ("", "prod", "stack prod: there is no Pulumi.prod.yaml; name a stack of this project"),
        (
            "env_file: false",
            "dev",
            "stack dev: the stack writes no file with its connection strings (env_file: false), and has no outputs: ",
        ),
        ("env_file: Pulumi.yaml", "dev", "has no connection string of the role readonly"),
    ],
)
def test_a_stack_without_connection_strings_is_refused(root: Path, file: str, stack: str, what: str) -> None:
    """A stack whose databases cannot be found is refused with the place and the remedy."""
    if file:
        (root / "Pulumi.dev.yaml").write_text(f"config:\n  shop:{file}\n", encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        dsns(root, stack, "readonly")
    assert what in str(refused.value)


def test_unmanaged_objects_come_from_the_settings(root: Path) -> None:
    """The patterns are those of the stack, else the default ones."""
    assert unmanaged_patterns(root, None) == unmanaged_patterns(root, "dev") == ("table public.alembic_version",)
    text = "config:\n  shop:modules:\n    unmanaged:\n      - table public.tmp_*\n"
    (root / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    assert unmanaged_patterns(root, "dev") == ("table public.tmp_*",)


@pytest.mark.parametrize(
    ("text", "what"), [("a: [", "is not YAML (ParserError)"), ("config:\n  shop:extensions: 3\n", "is not a list")]
)
def test_a_broken_stacks_file_is_refused(root: Path, text: str, what: str) -> None:
    """A file that is not YAML, and a setting that is not a list, are refused with their place."""
    (root / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        extensions_of_stacks(root, root / "sql")
    assert what in str(refused.value)
    assert "Pulumi.dev.yaml" in str(refused.value)
