"""Commands about folders of SQL: without models, and each held to the stacks that use it."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from infra.cli import main

pytestmark = pytest.mark.database

FILES = MappingProxyType(
    {
        "Pulumi.yaml": "name: shop\n",
        "Pulumi.dev.yaml": "config: {shop:extensions: [], shop:roles: {reporting: {inherits: readonly}}}\n",
        "Pulumi.search.yaml": "config: {shop:extensions: [pg_trgm], shop:modules: {directory: search/sql}}\n",
        "sql/01-tables.sql": "-- Orders.\nCREATE TABLE orders (id bigint, name text);\nDO $$ BEGIN\n"
        "EXECUTE format('GRANT DELETE ON orders TO %I', current_database() || '_reporting');\nEND $$;\n",
        "search/sql/01-extensions.sql": "-- Extensions.\nCREATE EXTENSION IF NOT EXISTS pg_trgm;\n",
        "search/sql/02-words.sql": "-- Words.\nCREATE TABLE words (word text);\n"
        "CREATE INDEX words_word ON words USING gin (word gin_trgm_ops);\n",
        "search/lint.yaml": "purposes: {'02': anything}\n",
    }
)
"""Two stacks with a folder each: a module of the first names a role, one of the second uses an extension."""


def run(*arguments: str) -> int:
    """Run a command, and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_without_models_every_command_but_generate_works_in_the_folder_of_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Extensions, roles, directory and lint.yaml are those of the folder's own stack; nothing of another one counts."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for stack, table in (("dev", "orders"), ("search", "words")):
        folder = "search/sql" if stack == "search" else "sql"
        output = ("--stack", stack, "--output", stack)
        for arguments, line in (
            (("lint", "--stack", stack), f"{folder}: the SQL has no findings"),
            (("check", "--directory", folder), "nothing differs"),
        ):
            assert run(*arguments) == 0
            assert capsys.readouterr().out.splitlines()[-1] == line
        for command, written in (("diagram", "schema.mmd"), ("docs", "schema.md")):
            assert run(command, *output) == 0
            assert table in Path(stack, written).read_text(encoding="utf-8")
        capsys.readouterr()
        assert run("generate", "--stack", stack) == 1
        refusal = f"{folder}/modules.yaml: names no models; write `models: [package]` into it\n"
        assert capsys.readouterr() == ("", refusal)
