"""What agrees without a server: generated text with the models, extensions with the settings of every stack."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import models
from infra.check.agreement import extensions, generated_files
from infra.check.stack_files import Extensions, extensions_of_stacks, read_only_ways, unmanaged_of
from infra.errors import InfraError
from infra.findings.finding import Place
from infra.settings.model import Settings

ROOT = Path(__file__).parents[3]
DEFAULTS = ("uuid-ossp", "pgcrypto", "pg_trgm")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the folder of a project with one stack."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  shop:databases:\n    - shop_dev\n", encoding="utf-8")
    return tmp_path


def test_modules_that_are_what_the_models_say_are_current() -> None:
    """This project's own modules give no finding; those that are written by hand are not spoken of."""
    current, found = generated_files(models.metadata, models.MODULES, ROOT / "sql")
    assert found == []
    assert current == dict.fromkeys(
        (path.stem for path in sorted((ROOT / "sql").glob("*.sql")) if not path.name.startswith("01")), True
    )


def test_a_changed_module_is_found_at_its_first_line_that_differs(tmp_path: Path) -> None:
    """The finding has the line and the diff; a module that is missing is found too."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    path = tmp_path / "sql" / "02-init-users-auth.sql"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if "hashed_password" in line)
    lines[number - 1] = lines[number - 1].replace("varchar", "text")
    path.write_text("".join(lines), encoding="utf-8")
    (tmp_path / "sql" / "07-init-indexes.sql").unlink()
    current, (changed, missing) = generated_files(models.metadata, models.MODULES, tmp_path / "sql")
    assert [name for name, is_current in current.items() if not is_current] == [path.stem, "07-init-indexes"]
    assert (changed.code, changed.place) == ("C115", Place(str(path), number))
    assert [line for line in changed.detail if "hashed_password" in line and line[0] in "+-"] == [
        f"-{lines[number - 1].rstrip()}",
        f"+{lines[number - 1].rstrip().replace('text', 'varchar')}",
    ]
    assert (missing.code, missing.place.path, missing.place.line) == (
        "C115",
        str(tmp_path / "sql" / "07-init-indexes.sql"),
        1,
    )


def test_the_extensions_of_this_project_agree() -> None:
    """The defaults are read with their line, and so is every stack that names extensions of its own."""
    defaults, *others = extensions_of_stacks(ROOT)
    assert defaults.names == DEFAULTS == Settings.model_fields["extensions"].default
    assert defaults.place.path == "infra/settings/model.py"
    assert defaults.place.text.strip().startswith("extensions: ")
    assert others == []


def test_the_extensions_of_a_stacks_file_are_read(root: Path) -> None:
    """With the project's name before the key or without it, and with the place of the key."""
    (root / "Pulumi.more.yaml").write_text("config:\n  shop:extensions: [citext]\n", encoding="utf-8")
    (root / "Pulumi.plain.yml").write_text("config:\n  extensions:\n    - hstore\n", encoding="utf-8")
    (root / "Pulumi.empty.yaml").write_text("", encoding="utf-8")
    found = extensions_of_stacks(root)[1:]
    assert [(one.who, one.names, one.place.path, one.place.line) for one in found] == [
        ("Pulumi.more.yaml", ("citext",), "Pulumi.more.yaml", 2),
        ("Pulumi.plain.yml", ("hstore",), "Pulumi.plain.yml", 2),
    ]


@pytest.mark.parametrize(
    ("created", "named", "messages"),
    [
        (["a", "b"], ["b", "a"], []),
        ([], [], []),
        (["a"], [], ["the modules create the extension a, and S does not have it"]),
        ([], ["a"], ["S has the extension a, and no module creates it"]),
        (
            ["pg_jsonschema"],
            ["pgcrypto"],
            [
                "the modules create the extension pg_jsonschema, and S does not have it",
                "S has the extension pgcrypto, and no module creates it",
            ],
        ),
    ],
)
def test_extensions_are_compared_by_name(created: list[str], named: list[str], messages: list[str]) -> None:
    """Both sides are told, each at its own place; their order does not count."""
    at, stack = Place("sql/01-a.sql", 3), Place("Pulumi.s.yaml", 2)
    found = extensions(dict.fromkeys(created, at), [Extensions("S", stack, tuple(named))])
    assert [one.message for one in found] == messages
    assert [one.place for one in found] == [at if "the modules" in message else stack for message in messages]


def test_a_stacks_addresses_are_read_from_what_up_wrote(root: Path) -> None:
    """The read-only role's way into each database, from the file that the stack's settings name."""
    (root / ".env.dev").write_text(
        "A=1\n# >>> platform-postgres\nSHOP_DEV_READONLY_DSN=postgresql://r:p@127.0.0.1:1/shop_dev\n"
        "SHOP_DEV_MIGRATOR_DSN=postgresql://m:p@127.0.0.1:1/shop_dev\n"
        "export TWO_READONLY_DSN='postgresql://r:p@127.0.0.1:1/two?x=y'\n",
        encoding="utf-8",
    )
    ways = ["postgresql://r:p@127.0.0.1:1/shop_dev", "postgresql://r:p@127.0.0.1:1/two?x=y"]
    assert read_only_ways(root, "dev") == ways
    assert read_only_ways(root, "organization/shop/dev") == ways
    (root / "Pulumi.dev.yaml").write_text('config:\n  shop:env_file: "{stack}/env"\n', encoding="utf-8")
    (root / "dev").mkdir()
    (root / ".env.dev").rename(root / "dev" / "env")
    assert read_only_ways(root, "dev") == ways


@pytest.mark.parametrize(
    ("file", "stack", "what"),
    [
        ("", "dev", "cannot be read (No such file or directory); run `make up STACK=dev`, or use --live DSN"),
        ("", "prod", "stack prod: there is no Pulumi.prod.yaml; name a stack of this project"),
        ("env_file: false", "dev", "stack dev: the stack writes no file with its addresses (env_file: false)"),
        ("env_file: Pulumi.yaml", "dev", "names no database"),
    ],
)
def test_a_stack_without_addresses_is_a_sentence(root: Path, file: str, stack: str, what: str) -> None:
    """What keeps a stack from being looked at is said with its place and remedy."""
    if file:
        (root / "Pulumi.dev.yaml").write_text(f"config:\n  shop:{file}\n", encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        read_only_ways(root, stack)
    assert what in str(refused.value)


def test_objects_that_nobody_manages_come_from_the_settings(root: Path) -> None:
    """A stack's own list, else the default one."""
    assert unmanaged_of(root, None) == unmanaged_of(root, "dev") == ("table public.alembic_version",)
    text = "config:\n  shop:modules:\n    unmanaged:\n      - table public.tmp_*\n"
    (root / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    assert unmanaged_of(root, "dev") == ("table public.tmp_*",)


@pytest.mark.parametrize(
    ("text", "what"), [("a: [", "is not YAML (ParserError)"), ("config:\n  shop:extensions: 3\n", "is not a list")]
)
def test_a_broken_stacks_file_is_a_sentence(root: Path, text: str, what: str) -> None:
    """What is no YAML, or no list where one belongs, is said with its place."""
    (root / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        extensions_of_stacks(root)
    assert what in str(refused.value)
    assert "Pulumi.dev.yaml" in str(refused.value)
