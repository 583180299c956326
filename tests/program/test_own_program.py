"""Programs of one's own with the installed package: the examples, and Pulumi's options on the components."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from environment import environment
from local_state import file_backend

from tests.program.project import ROOT, Run, default_interrupt, finished

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.full

EXTRAS = "embedded"


@dataclass(frozen=True)
class Installed:
    """An environment with nothing but the package's wheel and what that requires."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter that has the packages."""
        return self.folder / "bin" / "python"

    def variables(self, backend: Path) -> dict[str, str]:
        """Return the variables for `pulumi`, in which nothing of the checkout is seen."""
        variables = environment() | {
            "PULUMI_BACKEND_URL": file_backend(backend),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
            "VIRTUAL_ENV": str(self.folder),
        }
        variables["PATH"] = variables["PATH"].replace(str(ROOT / ".venv" / "bin"), str(self.folder / "bin"))
        variables.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        variables.pop("PYTHONPATH", None)
        return variables


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it, in the versions that the checkout is tested with."""
    folder = tmp_path_factory.mktemp("installed")
    uv = str(ROOT / ".venv" / "bin" / "uv")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, f"--wheel-dir={folder}", str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(folder / "venv")], check=True)
    result = Installed(folder / "venv")
    pins = [f"--constraint={ROOT / name}" for name in ("requirements.txt", f"requirements-{EXTRAS}.txt")]
    package = f"platform-postgres[{EXTRAS}] @ file://{wheel}"
    subprocess.run([uv, "pip", "install", "--quiet", f"--python={result.python}", *pins, package], check=True)
    return result


class OwnProgram:
    """A folder with a program, and a state beside it."""

    def __init__(self, folder: Path, installed: Installed) -> None:
        self.folder = folder
        state = folder.with_name(f"{folder.name}-state")
        state.mkdir()
        self.env = installed.variables(state)

    def run(self, *command: str) -> Run:
        """Run a command in the folder."""
        with default_interrupt():
            return finished(
                subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=self.env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    start_new_session=True,
                )
            )

    def pulumi(self, *arguments: str) -> str:
        """Run `pulumi`, which must succeed."""
        done = self.run("pulumi", *arguments, "--non-interactive")
        assert done.status == 0, done.text
        return done.text

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets included."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))


@contextmanager
def own_program(source: Path, folder: Path, installed: Installed) -> Generator[OwnProgram]:
    """Yield a copy of a program with a new stack; what is left of it in the end is destroyed."""
    shutil.copytree(source, folder)
    (folder / ".venv").symlink_to(installed.folder)
    program = OwnProgram(folder, installed)
    program.pulumi("stack", "init", "test")
    try:
        yield program
    finally:
        program.run("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive")


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_example_lives_where_only_the_wheel_is_installed(installed: Installed, tmp_path: Path) -> None:
    """`up`, `preview`, `refresh` and `destroy` of examples/shop work in an empty environment outside the checkout."""
    with own_program(ROOT / "examples" / "shop", tmp_path / "shop", installed) as program:
        assert re.search(r"Resources:\n +\+ \d+ to create\n\n", program.pulumi("preview"))
        program.pulumi("up", "--yes", "--skip-preview")
        outputs = program.outputs()
        insert = "INSERT INTO products (name, price) VALUES ('tea', 3.20) RETURNING name"
        assert rows(outputs["dsn"], insert) == [("tea",)]
        assert rows(outputs["test_dsn"], "SELECT count(*) FROM products") == [(0,)]
        assert len(set(outputs["fingerprints"])) == 1
        program.pulumi("preview", "--expect-no-changes")
        program.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
        module = program.folder / "sql" / "02-indexes.sql"
        module.write_text(module.read_text() + "CREATE INDEX orders_ordered_at_idx ON orders (ordered_at);\n")
        text = program.pulumi("preview")
        for name in ("shop", "shop_test"):  # shown at the resource, which is in a component
            assert re.search(rf"SchemaPlan \({name}-schema-plan\):\n +`up` will change the schema of {name},", text), (
                text
            )
        program.pulumi("destroy", "--yes", "--skip-preview")
        with pytest.raises(psycopg.OperationalError):
            rows(outputs["dsn"], "SELECT 1")


def test_a_wrong_argument_ends_the_program_with_one_message(installed: Installed, tmp_path: Path) -> None:
    """The message has the place, what is wrong and what is allowed, and no traceback."""
    with own_program(ROOT / "examples" / "shop", tmp_path / "shop", installed) as program:
        main = program.folder / "__main__.py"
        main.write_text(main.read_text().replace('"work_mem": "8MB"', '"work_mem": "8MB"}, "prot": {'))
        done = program.run("pulumi", "preview", "--non-interactive")
        assert done.status != 0
        assert "server.prot: is not a setting; did you mean port?" in done.text
        assert "Traceback" not in done.text


def test_an_inline_program_of_the_automation_api(installed: Installed, tmp_path: Path) -> None:
    """examples/inline creates and removes its database from a process with another working directory."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    program = OwnProgram(tmp_path / "examples", installed)
    python = str(installed.python)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program.env["TMPDIR"] = str(temporary)
    try:
        done = program.run(python, "inline/inline.py", "up")
        assert done.status == 0, done.text
        again = program.run(python, "inline/inline.py", "up")
        assert again.text.strip().startswith("{'same': "), again.text
        assert again.text.count(":") == 1, again.text
    finally:
        destroyed = program.run(python, "inline/inline.py", "destroy")
    assert destroyed.status == 0, destroyed.text
    assert list(temporary.iterdir()) == []


def check_program_beside(program: OwnProgram, installed: Installed, folder: Path) -> None:
    """Assert that another program's modules live in the same database, and that each program sees its own alone."""
    with own_program(ROOT / "tests" / "program" / "beside", folder / "billing", installed) as billing:
        billing.pulumi("config", "set", "--secret", "dsn", program.outputs()["migrator"])
        billing.pulumi("up", "--yes", "--skip-preview")
        dsn = program.outputs()["dsn"]
        assert rows(dsn, "SELECT count(*) FROM invoices") == [(0,)]
        for each in (program, billing):
            each.pulumi("preview", "--expect-no-changes")
            each.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        billing.pulumi("destroy", "--yes", "--skip-preview")
        assert rows(dsn, "SELECT to_regclass('invoices'), to_regclass('orders')::text") == [(None, "orders")]


def test_options_aliases_transforms_and_outputs_work_as_for_other_resources(
    installed: Installed, tmp_path: Path
) -> None:
    """A server may be known by an output, a component renamed with an alias, and its resources transformed."""
    with own_program(ROOT / "examples" / "shop", tmp_path / "options", installed) as program:
        shutil.copyfile(ROOT / "tests" / "program" / "options" / "__main__.py", program.folder / "__main__.py")
        program.pulumi("config", "set", "name", "shop")
        assert " to create" in program.pulumi("preview")
        program.pulumi("up", "--yes", "--skip-preview")
        outputs = program.outputs()
        limits = "SELECT DISTINCT rolconnlimit FROM pg_roles WHERE rolname LIKE 'shop%'"
        assert rows(outputs["dsn"], limits) == [(7,)]
        assert rows(outputs["crm"], "SELECT count(*) FROM products") == [(0,)]
        assert rows(outputs["plain"], "SELECT count(*) FROM orders") == [(0,)]
        assert len(set(outputs["fingerprints"][:2])) == 1
        program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
        check_program_beside(program, installed, tmp_path)
        program.pulumi("config", "set", "name", "store")
        program.pulumi("config", "set", "former", "shop")
        program.pulumi("preview", "--expect-no-changes")
        program.pulumi("destroy", "--yes", "--skip-preview")
