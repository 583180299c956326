"""A review of a branch: what every kind of stack would do with it, made from the repository alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.live_facts import DatabaseFacts, StackFacts
from infra.errors import InfraError
from infra.hazards.sizes import TableSize
from infra.migrations.history import file_digests, write_lock
from infra.review.comment import LONGEST_COMMENT, MARK, review_as_json, review_as_markdown
from infra.review.old_code import BrokenQuery, ReleasedCode
from infra.review.reviewing import review_branch
from tests.fixture_schema import SQL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.review.review import Review

ROOT = Path(__file__).parents[3]
FILE = "02-customers.sql"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose only commit has the fixture's modules, with the project in a folder of it."""
    root = tmp_path_factory.mktemp("review") / "platform"
    shutil.copytree(SQL, root / "sql")
    shutil.copytree(SQL, root / "migrations" / "baseline")
    (root / "migrations" / "versions").mkdir()
    revise(root, "0001", None, "pass")
    (root / "Pulumi.yaml").write_text("name: shop\n", encoding="utf-8")
    stack = "config:\n  shop:databases: [shop]\n  shop:lifecycle: {}\n"
    for name, lifecycle in (("dev", "ephemeral"), ("prod", "persistent"), ("staging", "persistent")):
        (root / f"Pulumi.{name}.yaml").write_text(stack.format(lifecycle), encoding="utf-8")
    git(root.parent, "init", "-q", "-b", "main")
    git(root.parent, "add", ".")
    git(root.parent, "commit", "-qm", "base")
    return root


def git(folder: Path, *arguments: str) -> None:
    """Run git as an author of the test's."""
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True)


@pytest.fixture
def root(repository: Path) -> Iterator[Path]:
    """Return the project, whose modules are as committed again after the test."""
    yield repository
    git(repository, "checkout", "-q", ".")
    git(repository, "clean", "-qfd")


def revise(root: Path, revision: str, down: str | None, upgrade: str) -> None:
    """Write a revision after another one, and the lock file."""
    migrations = root / "migrations"
    head = f"from alembic import op\n\nrevision = {revision!r}\ndown_revision = {down!r}\n"
    text = f"{head}\ndef upgrade():\n    {upgrade}\n"
    (migrations / "versions" / f"{revision}_test.py").write_text(text, encoding="utf-8")
    names = [f"versions/{path.name}" for path in sorted((migrations / "versions").glob("*.py"))]
    write_lock(str(migrations), file_digests(str(migrations), names))


def reviewed(root: Path, *live: StackFacts) -> tuple[Review, str]:
    """Return the review of the working folder against main, and its comment."""
    found = review_branch(root, base="main", stack="dev", live=live)
    return found, review_as_markdown(found)


def edit(root: Path, before: str, after: str) -> str:
    """Replace text in the first module that has it, and return the module's name."""
    for path in sorted((root / "sql").glob("*.sql")):
        text = path.read_text("utf-8")
        if before in text:
            path.write_text(text.replace(before, after, 1), encoding="utf-8")
            return path.stem
    raise AssertionError(before)


def test_a_new_column_is_a_rebuild_here_and_a_migration_there(root: Path) -> None:
    """Verdict, steps by lifecycle, the object with its definition, the lines of SQL once; and as JSON."""
    module = edit(root, "CREATE TABLE customers (\n", "CREATE TABLE customers (\n    locale varchar,\n")
    found, text = reviewed(root)
    assert text.startswith(f"{MARK}\n### 🟡 schema: ")
    assert "+ column public.customers.locale" in text
    assert f"| dev (ephemeral) | **rebuild** {module}" in text
    assert "customers" in text.partition("what is lost")[2].partition("persistent")[0]
    assert "| prod, staging (persistent) | **needs a migration**: `up` refuses until it has run | nothing |" in text
    assert "\nALTER TABLE public.customers ADD COLUMN locale character varying;\n" in text
    assert text.count("+    locale varchar,") == 1
    values = json.loads(review_as_json(found))
    assert (values["level"], values["lifecycles"]["persistent"]["tables_dropped"]) == ("loss", [])


def test_a_revision_is_reviewed_with_its_hazards(root: Path) -> None:
    """What it locks and rewrites is named without any live database; with what is known of one it is refused."""
    edit(root, "phone      varchar", "phone      varchar(99)")
    folder, name = root / "migrations", "versions/0002_phone.py"
    statement = 'op.execute("ALTER TABLE customers ALTER phone TYPE varchar(99)")'
    (folder / name).write_text(
        f'from alembic import op\n\nrevision = "0002"\ndown_revision = "0001"\n\n\ndef upgrade():\n    {statement}\n'
    )
    write_lock(str(folder), file_digests(str(folder), ["versions/0001_test.py", name]))
    found, text = reviewed(root)
    assert (found.level, "| prod, staging (persistent) | **migrate** to 0002, **verify**" in text) == ("loss", True)
    assert "!   line 8: ACCESS EXCLUSIVE on customers, rewrites all rows, whose number is not known here" in text
    assert "ALTER TABLE customers ADD COLUMN phone_new varchar(99);" in text
    (revision,) = json.loads(review_as_json(found))["lifecycles"]["persistent"]["revisions"]
    assert (revision["revision"], len(revision["hazards"]) > 1) == ("0002", True)
    unmanaged = ("no module made table public.x",)
    databases = {
        "shop": DatabaseFacts({"public.customers": TableSize(40_000_000, 11 << 30)}, unmanaged=unmanaged),
        "eu": DatabaseFacts(drift=("column public.customers.note is extra",), unmanaged=unmanaged),
        "us": DatabaseFacts(problem="no route"),
    }
    found, text = reviewed(root, StackFacts("prod", "2026-11-26 03:17", databases))
    assert "ACCESS EXCLUSIVE on customers, rewrites 40 M rows, 11 GB; write it in its safe form" in text
    assert "| prod, staging (persistent) | `up` refuses | nothing |" in text
    assert text.partition("**Live databases**\n```\n")[2].startswith(
        "prod/shop, prod/eu: no module made table public.x\n"
        "prod/eu: column public.customers.note is extra (changed by hand)\n"
        "prod/us: could not be looked at: no route\n"
    )
    assert "sizes, drift and unmanaged objects are those of prod (2026-11-26 03:17 UTC)." in text
    assert json.loads(review_as_json(found))["live"]["prod"]["shop"]["unmanaged"] == list(unmanaged)


def test_an_index_is_harmless_and_its_migration_locks_nobody_out(root: Path) -> None:
    """No table is made anew, and the draft builds the index beside writers."""
    path = root / "sql" / "07-init-indexes.sql"
    path.write_text(path.read_text("utf-8") + "CREATE INDEX late ON customers (id);\n", encoding="utf-8")
    found, text = reviewed(root)
    assert (found.level, text.splitlines()[1]) == ("fine", "### 🟢 schema: + index public.late")
    assert "CREATE INDEX CONCURRENTLY late ON public.customers USING btree (id);" in text
    assert "**Undo** take the change back: ephemeral stacks rebuild again, persistent ones need the migration's" in text


def test_a_new_module_needs_no_migration_and_its_objects_stay(root: Path) -> None:
    """Both kinds of stacks apply it; where its file is taken back, a persistent one keeps what it made."""
    (root / "sql" / "09-notes.sql").write_text("CREATE TABLE notes (id integer);\n", encoding="utf-8")
    _, text = reviewed(root)
    assert "**Undo** take the change back: ephemeral stacks rebuild again, in persistent ones new objects stay." in text


def test_what_a_migration_loses_is_named_by_column_and_table(root: Path) -> None:
    """A dropped column is red on every stack; a renamed table keeps its rows by the draft, which renames it."""
    table = edit(root, "CREATE TABLE customers (\n", "CREATE TABLE customers (\n    locale varchar,\n")
    git(root, "commit", "-qam", "a column")
    try:
        edit(root, "    locale varchar,\n", "")
        found, text = review_branch(root, base="HEAD", stack="dev"), ""
        text = review_as_markdown(found)
        assert "### 🔴 schema: - column public.customers.locale" in text
        assert "| with the migration, all values of column customers.locale |" in text
        assert "\nALTER TABLE public.customers DROP COLUMN locale;\n" in text
        assert "**Undo** brings column customers.locale back empty" in text
    finally:
        git(root, "reset", "-q", "--hard", "HEAD~1")
    file = root / "sql" / f"{table}.sql"
    assert file.exists()
    for path in (root / "sql").glob("*.sql"):
        path.write_text(re.sub(r"\bcustomers\b", "clients", path.read_text("utf-8")), encoding="utf-8")
    _, text = reviewed(root)
    assert "ALTER TABLE public.customers RENAME TO clients;" in text
    assert "Code that uses an old name fails from then on" in text


def test_released_code_is_prepared_on_the_new_schema(root: Path) -> None:
    """A renamed column and a required one break the base's models; those of a file and of live databases are tried."""
    edit(root, "phone      varchar,", "telephone  varchar,\n    country varchar NOT NULL,")
    edit(root, "customers.phone      IS", "customers.telephone IS")
    queries = root / "queries.sql"
    queries.write_text("SELECT 1;\nSELECT phone FROM customers WHERE id = $1;\nSELECT nonsense FROM customers;\n")
    found = review_branch(root, base="main", stack="dev", queries=queries)
    causes = {query.name: query.cause for query in found.released.broken}
    assert set(causes) == {
        "select from customers", "insert into customers", "update customers", f"{queries}:2",
    }  # fmt: skip
    assert causes[f"{queries}:2"] == 'column "phone" does not exist [42703]'
    assert "select from customers: column customers.phone does not exist [42703]" in review_as_markdown(found)
    sent = ("SELECT phone FROM customers WHERE id = $1", "SELECT email FROM customers", "SELECT no FROM customers")
    live = StackFacts("prod", "2026-11-26 03:17", {"shop": DatabaseFacts(statements=sent)})
    causes = {query.name: query.cause for query in reviewed(root, live)[0].released.broken}
    assert causes.pop(f"prod/shop, {sent[0]}") == 'column "phone" does not exist [42703]'
    assert set(causes) == {"select from customers", "insert into customers", "update customers"}
    edit(root, "telephone  varchar,", "phone varchar,")
    edit(root, "customers.telephone IS", "customers.phone IS")
    (query,) = review_branch(root, base="main", stack="dev").released.broken
    assert (query.name, query.cause) == (
        "insert into customers", "it does not write country, which may not be null and has no default",
    )  # fmt: skip


def test_a_branch_without_changes_and_a_comment_are_harmless(root: Path) -> None:
    """Nothing changes; a comment is reformatted, and no table is touched."""
    found, text = reviewed(root)
    assert (found.level, "### 🟢 schema: nothing changes" in text) == ("fine", True)
    untried = replace(found, released=ReleasedCode(not_tried="models: there is no module"))
    assert "was not tried on the new schema, because models: there is no module." in review_as_markdown(untried)
    assert untried.level == "fine"
    edit(root, "CREATE TABLE customers", "-- Who buys.\nCREATE TABLE customers")
    (root / "sql" / "99-new.sql").unlink(missing_ok=True)
    found, text = reviewed(root)
    assert found.level == "fine"
    assert "**reformatted**" in text
    assert "no table is made anew" in text


def test_modules_that_do_not_run_are_refused_with_their_place(root: Path) -> None:
    """The comment is written all the same: an error of SQL is named once, with file, line and SQLSTATE."""
    module = edit(root, "CREATE TABLE customers (\n", "CREATE TABLE customers (\n    id integer,\n")
    found, text = reviewed(root)
    assert (found.level, "### 🔴 schema: every stack refuses it" in text) == ("refused", True)
    assert text.count('column "id" specified more than once [42701]') == 1
    assert f"sql/{module}.sql:" in text


def test_no_password_is_in_a_comment(root: Path) -> None:
    """One that a branch writes into a module is masked wherever the comment and its JSON have the text."""
    dsn = "postgresql://shop:geheim@db.example/shop, password=geheim"
    edit(root, "'Accounts of the shop.';", f"'{dsn}';\n-- PASSWORD 'geheim'")
    found, text = reviewed(root)
    assert "postgresql://shop:***@db.example/shop, password=***" in text
    assert "geheim" not in text + review_as_json(found)


def test_a_long_comment_is_cut_at_a_fold(root: Path) -> None:
    """The longest lines of SQL are left out whole, and the comment says so."""
    lines = "".join(f"-- {'x' * 90} {number}\n" for number in range(900))
    edit(root, "CREATE TABLE customers", f"{lines}CREATE TABLE customers")
    edit(root, "CREATE TABLE order_lines", "-- Short.\nCREATE TABLE order_lines")
    _, text = reviewed(root)
    assert len(text) < LONGEST_COMMENT
    assert "The changed lines of 1 modules are left out" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_what_stands_before_the_folds_ends_where_it_ends(root: Path) -> None:
    """Of a long block the first lines are shown, and no text of a branch ends a block and goes on as the comment's."""
    found, _ = reviewed(root)
    broken = BrokenQuery("a query", "", "no such column\n```\n### 🟢 schema: nothing changes")
    text = review_as_markdown(replace(found, released=ReleasedCode((broken,) * 2_000)))
    assert len(text) < LONGEST_COMMENT
    assert "````\na query: no such column\n```\n### 🟢 schema: nothing changes\na query: " in text
    assert re.search(r"\n````\nand \d{4} more lines\n", text)


def test_a_rule_of_a_branch_can_stand_on_the_exit_status(root: Path, tmp_path: Path) -> None:
    """0 where some kind of stack takes the branch, 1 where none does, 2 where that is unknown; a file has the text."""
    program = ["-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from infra.cli import main; main()"]
    output = tmp_path / "review.md"

    def status(*arguments: str) -> int:
        command = [sys.executable, *program, "review", *arguments, f"--output={output}"]
        return subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False).returncode

    assert status("--base=main", "--json") == 0
    assert json.loads(output.read_text())["level"] == "fine"
    assert status("--base=nowhere") == 2
    edit(root, "CREATE TABLE customers (\n", "CREATE TABLE customers (\n    id integer,\n")
    assert status("--base=main") == 1
    assert "every stack refuses it" in output.read_text()


def test_an_unknown_base_is_one_sentence(root: Path) -> None:
    """Git's reason, and what to do."""
    with pytest.raises(InfraError, match="fetch the branch"):
        review_branch(root, base="nowhere", stack="dev")
