"""`check` on a folder of revisions: one line, as it was locked, each of which can be undone or says why not."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from infra.check.checker import CheckedProject, check_project
from infra.findings.finding import Place
from infra.folder.modules_yaml import FolderSettings
from infra.migrations.history import file_digests, write_lock
from infra.revisions.squash import squash_revisions

if TYPE_CHECKING:
    from infra.findings.finding import Finding

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"
MODULE = "CREATE TABLE a (id integer, note text, size integer);\nCREATE TABLE b (id integer);\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckedProject:
    """Return a project without models, with a baseline and three revisions that can be undone."""
    monkeypatch.chdir(tmp_path)
    for folder in ("sql", "migrations/baseline", "migrations/versions"):
        Path(folder).mkdir(parents=True)
    Path("Pulumi.yaml").write_text("name: shop\n")
    Path("sql/01-a.sql").write_text(MODULE)
    Path("migrations/baseline/01-a.sql").write_text(TABLE)
    revise("0001", None, "pass", "pass")
    revise("0002", "0001", 'op.execute("ALTER TABLE a ADD note text")', 'op.execute("ALTER TABLE a DROP note")')
    revise("0003", "0002", 'op.execute("ALTER TABLE a ADD size int")', 'op.execute("ALTER TABLE a DROP size")')
    revise("0004", "0003", 'op.execute("CREATE TABLE b (id int)")', 'op.execute("DROP TABLE b")')
    lock("0001", "0002", "0003", "0004")
    return CheckedProject(tmp_path, Path("sql"), FolderSettings("sql/modules.yaml"), None)


def revise(revision: str, down: str | None, upgrade: str, downgrade: str) -> None:
    """Write a revision."""
    head = f"from alembic import op\nfrom alembic.util import CommandError\n\nrevision = {revision!r}\n"
    functions = f"def upgrade():\n{indent(upgrade, '    ')}\n\n\ndef downgrade():\n{indent(downgrade, '    ')}\n"
    Path(f"migrations/versions/{revision}_test.py").write_text(f"{head}down_revision = {down!r}\n\n\n{functions}")


def lock(*revisions: str) -> None:
    """Write the lock file with revisions in an order."""
    write_lock("migrations", file_digests("migrations", [f"versions/{revision}_test.py" for revision in revisions]))


def found(project: CheckedProject, private: str) -> list[tuple[str, str, str]]:
    """Return code, place and message of each finding of a check."""

    def shown(finding: Finding) -> tuple[str, str, str]:
        place = finding.place or Place("")
        return finding.code, f"{place.path}:{place.line}", finding.message

    return [shown(finding) for finding in check_project(project, private).findings]


def test_a_history_whose_revisions_lead_to_the_modules_and_back_has_no_finding(
    shop: CheckedProject, private: str
) -> None:
    """Neither before nor after a squash, of some and of all revisions."""
    assert found(shop, private) == []
    squash_revisions("migrations", "0002")
    assert found(shop, private) == []
    squash_revisions("migrations", "0004")
    assert found(shop, private) == []


def test_two_heads_are_named_though_the_lock_file_has_both(shop: CheckedProject, private: str) -> None:
    """Two branches wrote a revision after the same one, and the merged lock file has a line for each."""
    revise("0004", "0002", 'op.execute("CREATE TABLE b (id int)")', 'op.execute("DROP TABLE b")')
    lock("0001", "0002", "0003", "0004")
    assert found(shop, private) == [("C133", "migrations:0", "migrations/ has 2 heads (0003, 0004), and may have one")]
    revise("0003", "0004", 'op.execute("ALTER TABLE a ADD size int")', 'op.execute("ALTER TABLE a DROP size")')
    lock("0001", "0002", "0003", "0004")
    files = "versions/0001_test.py, versions/0002_test.py, versions/0004_test.py, versions/0003_test.py"
    expected = ("C133", "migrations/revisions.lock:0", f"revisions.lock has another order than the files say: {files}")
    assert found(shop, private) == [expected]
    revise("0003", "0009", 'op.execute("ALTER TABLE a ADD size int")', 'op.execute("ALTER TABLE a DROP size")')
    lock("0001", "0002", "0003", "0004")
    message = "migrations/ has a revision after '0009', which is not there"
    assert found(shop, private) == [("C133", "migrations:0", message)]


def test_an_edited_revision_is_named(shop: CheckedProject, private: str) -> None:
    """A released one has the digest of its file in the lock file, and so has each module of the baseline."""
    path = Path("migrations/versions/0002_test.py")
    path.write_text(path.read_text().replace("note text", "note  text"))
    assert found(shop, private) == [("C131", f"{path}:0", f"{path} differs from revisions.lock")]


def test_a_downgrade_that_does_not_restore_the_schema_is_named(shop: CheckedProject, private: str) -> None:
    """What is left is named, one that does not run has its line, and those before it are undone all the same."""
    revise("0002", "0001", 'op.execute("ALTER TABLE a ADD note text")', 'op.execute("ALTER TABLE a DROP notes")')
    revise("0004", "0003", 'op.execute("CREATE TABLE b (id int)")', 'op.execute("CREATE INDEX ON b (id)")')
    lock("0001", "0002", "0003", "0004")
    last, second = check_project(shop, private).findings
    assert last.message == "after its downgrade the schema is another one than before its upgrade"
    assert (last.code, last.place and last.place.path) == ("C134", "migrations/versions/0004_test.py")
    assert any(line.startswith("table public.b") for line in last.detail), last.detail
    assert second.code == "C134"
    assert second.message == 'a downgrade does not run: column "notes" of relation "a" does not exist'
    assert second.place
    assert (second.place.path, second.place.line) == ("migrations/versions/0002_test.py", 13)


def test_a_downgrade_may_refuse_by_name(shop: CheckedProject, private: str) -> None:
    """It raises CommandError; one that is missing is a finding, and so is one of an earlier revision that is wrong."""
    revise("0004", "0003", 'op.execute("CREATE TABLE b (id int)")', 'raise CommandError("what b had is gone")')
    lock("0001", "0002", "0003", "0004")
    assert found(shop, private) == []
    revise("0003", "0002", 'op.execute("ALTER TABLE a ADD size int")', "pass")
    path = Path("migrations/versions/0002_test.py")
    path.write_text(path.read_text().partition("\n\n\ndef downgrade")[0] + "\n")
    lock("0001", "0002", "0003", "0004")
    assert [(code, place) for code, place, _ in found(shop, private)] == [
        ("C134", "migrations/versions/0003_test.py:0"),
        ("C134", f"{path}:1"),
    ]
