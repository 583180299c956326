"""Modules that are imported when they are used, and a run without changes that therefore imports little."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

from infra.lazy_module import LazyModule

ROOT = Path(__file__).parents[2]


def test_a_lazy_module_is_imported_when_it_is_used() -> None:
    """Naming a module imports nothing; its first attribute does."""
    sys.modules.pop("this", None)
    lazy = LazyModule("this")
    assert "this" not in sys.modules
    with contextlib.redirect_stdout(io.StringIO()):
        assert lazy.s
    assert "this" in sys.modules


def imported_by(*modules: str) -> set[str]:
    """Return the packages that importing these modules imports, in a process of its own."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(process.stdout.split())


def test_the_program_declares_its_stack_without_driver_and_parser() -> None:
    """The driver takes a tenth of a second to import, and a program that only declares connects to nothing."""
    declarations = sorted(path.stem for path in (ROOT / "infra" / "program").glob("*.py") if path.stem != "__init__")
    needed = [f"infra.program.{name}" for name in declarations if not name.startswith("docker")]
    assert not {"psycopg", "postgast", "stamina", "sqlalchemy"} & imported_by("infra.program.run", *needed)


def test_a_look_that_finds_nothing_to_do_needs_the_driver_alone() -> None:
    """Parser, retrying and scratch servers are imported by what acts, measures or proves."""
    actions = [
        f"infra.resources.actions.{name}" for name in ("schema_plan", "schema_ready", "sql_module", "migrations")
    ]
    assert {"postgast", "stamina", "sqlalchemy", "alembic", "psycopg"} & imported_by(*actions) == {"psycopg"}
