"""The commands as a user types them: what they print, where, and their exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli import main
from tests.fixture_schema import SQL

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> int:
    """Run a command in this process and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Create a directory with the settings and the hand-written module of the fixture."""
    for name in ("modules.yaml", "01-init-extensions.sql"):
        shutil.copy(SQL / name, tmp_path)
    return tmp_path


@pytest.fixture
def directory(empty: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Create a directory with the generated modules."""
    assert run("generate", "--directory", str(empty)) == 0
    capsys.readouterr()
    return empty


def test_generate_says_which_files_it_writes(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every written file has a line on stdout; a second run says that there is nothing to do."""
    before = {path.name for path in empty.iterdir()}
    assert run("generate", "--directory", str(empty)) == 0
    names = sorted({path.name for path in empty.iterdir()} - before)
    assert len(names) == 7
    assert capsys.readouterr().out == "".join(f"{empty / name}: written\n" for name in names)
    assert run("generate", "--directory", str(empty)) == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_check_is_silent_and_exits_0_when_nothing_differs(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the files are what the models say, --check prints nothing and exits 0."""
    assert run("generate", "--check", "--directory", str(directory)) == 0
    assert capsys.readouterr() == ("", "")


def test_check_shows_a_diff_exits_1_and_writes_nothing(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed, a missing and an outdated file are diffs on stdout; the remedy is on stderr; nothing is written."""
    changed = directory / "07-init-indexes.sql"
    text = changed.read_text(encoding="utf-8").replace("ON addresses (customer_id)", "ON addresses (label)")
    changed.write_text(text, encoding="utf-8")
    (directory / "08-init-constraints.sql").rename(directory / "09-init-constraints.sql")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    assert run("generate", "--check", "--directory", str(directory)) == 1
    shown = capsys.readouterr()
    assert (
        "-CREATE INDEX ix_addresses_customer_id ON addresses (label);\n"
        "+CREATE INDEX ix_addresses_customer_id ON addresses (customer_id);\n"
    ) in shown.out
    assert [line for line in shown.out.splitlines() if line.startswith(("--- /", "+++ /"))] == [
        f"--- {changed}",
        f"+++ {changed}",
        "--- /dev/null",
        f"+++ {directory / '08-init-constraints.sql'}",
        f"--- {directory / '09-init-constraints.sql'}",
        "+++ /dev/null",
    ]
    assert shown.err == "the SQL modules differ from the models; run: python -m infra generate\n"
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("command", ["generate", "generate --check", "diagram", "docs", "check", "revision -m x"])
def test_a_missing_directory_is_one_line_on_stderr(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program refuses is one line on stderr and an exit status, without a traceback; nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert run(*command.split(), "--directory", "nowhere") in {1, 2}
    assert capsys.readouterr() == ("", "nowhere: no such directory; create it, or name another directory\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["lint nowhere", "import nowhere --into sql"])
def test_a_missing_source_is_one_line_on_stderr(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands that read SQL from anywhere name the place; nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert run(*command.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.partition(";")[0]) in [
        ("", f"nowhere: no such file{what}") for what in ("", " or directory")
    ]
    assert list(tmp_path.iterdir()) == []


def test_commands_take_the_folder_of_a_stack(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--stack` names the modules by the stack's file, and a stack that does not exist is one line on stderr."""
    monkeypatch.chdir(directory.parent)
    Path("Pulumi.yaml").write_text("name: shop\n", encoding="utf-8")
    for stack, folder in (("shop", directory.name), ("other", "nowhere")):
        text = f"config:\n  shop:extensions: []\n  shop:modules: {{directory: {folder}}}\n"
        Path(f"Pulumi.{stack}.yaml").write_text(text, encoding="utf-8")
    assert run("generate", "--check", "--stack", "shop") == 0
    assert (
        run("lint", "--stack", "shop", "--format", "json") == 1
    )  # it has other extensions, and `other` is not held to
    assert {finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]} == {"M409"}
    assert run("lint", "--stack", "other") == 2
    assert capsys.readouterr().err == "nowhere: no such file or directory; name the SQL to check\n"
    assert run("diagram", "--stack", "none") == 1
    assert capsys.readouterr().err == "stack none: there is no Pulumi.none.yaml; name a stack of this project\n"


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option is explained by the command line itself, with its own exit status."""
    assert run("generate", "--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err


def test_the_program_starts_without_the_models() -> None:
    """Importing the command line imports neither SQLAlchemy nor the models: only the command that needs them does."""
    program = (
        "import sys, infra.cli; "
        "heavy = {'sqlalchemy', 'models', 'psycopg', 'pulumi', 'postgast'}; "
        "print(sorted(heavy & set(sys.modules)), 'typer' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stdout == "[] True\n"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a directory with a sql/ of one module in which lint finds one thing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "01-a.sql").write_text("-- A.\nCREATE TABLE t (a timestamp);\n")
    return tmp_path


def test_lint_shows_findings_and_exits_1(modules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By default sql/ is checked; the finding is shown with its line, a caret and the remedy."""
    assert run("lint") == 1
    assert capsys.readouterr().out == (
        "sql/01-a.sql:2:19: M506 (warning) a is a timestamp without time zone\n"
        "  CREATE TABLE t (a timestamp);\n"
        "                    ^\n"
        "  remedy: write timestamptz\n"
        "1 finding: 1 warning\n"
    )
    assert run("lint", str(modules / "sql" / "01-a.sql"), "--format", "github") == 1
    assert "line=2,col=19,title=M506" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_lint_in_a_form_for_programs(modules: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    """Json and sarif are one object each, with the finding in it."""
    assert run("lint", str(modules / "sql"), "--format", form) == 1
    assert "M506" in json.dumps(json.loads(capsys.readouterr().out))


def test_lint_exits_0_when_clean_and_2_when_it_could_not_run(modules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is a line that says so and 0; a missing path and wrong settings are one line on stderr and 2."""
    (modules / "sql" / "01-a.sql").write_text("-- A.\nSELECT 1;\n")
    assert run("lint") == 0
    assert capsys.readouterr() == ("sql: the SQL has no findings\n", "")
    assert run("lint", "nowhere") == 2
    assert capsys.readouterr() == ("", "nowhere: no such file or directory; name the SQL to check\n")
    (modules / "lint.yaml").write_text("ignored: {}\n")
    assert run("lint") == 2
    assert "lint.yaml:1:1: ignored is not a setting" in capsys.readouterr().err


def test_lint_explains_and_lists_its_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """--explain prints a section of the page, --list a line for each rule; an unknown code is an error."""
    assert run("lint", "--explain", "m304") == 0
    assert capsys.readouterr().out.startswith("### M304: A foreign key without an index\n")
    assert run("lint", "--list") == 0
    assert "\nM304  warning  A foreign key without an index\n" in capsys.readouterr().out
    assert run("lint", "--explain", "M999") == 2
    assert "M999 is not the code of a rule" in capsys.readouterr().err


def test_python_m_infra_runs_the_commands(tmp_path: Path) -> None:
    """`python -m infra` is the same program, and a failing check is its exit status."""
    (tmp_path / "01-a.sql").write_text("-- A.\nCREATE TABLE t (a timestamp);\n")
    command = [sys.executable, "-m", "infra", "lint", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "M506" in result.stdout
    assert "Traceback" not in result.stderr


def test_a_failing_check_of_generated_files_is_the_exit_status(empty: Path) -> None:
    """In a process of its own, `generate --check` prints the diffs and exits with 1."""
    command = [sys.executable, "-m", "infra", "generate", "--check", "--directory", str(empty)]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout.count("--- /dev/null\n") == 7
    assert "Traceback" not in result.stderr
