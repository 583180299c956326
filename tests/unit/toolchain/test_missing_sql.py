"""The option of `make preview` by which the SQL of what databases lack goes to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import missing_sql
import pytest
import stack
from environment import environment
from parts import SetupError

from infra.resources.actions import schema_plan

if TYPE_CHECKING:
    from tests.unit.toolchain.conftest import Machine


def test_the_option_is_taken_from_the_words_for_pulumi() -> None:
    """The file is named as seen from where make runs; both programs name the same variable."""
    words, variables = missing_sql.take_option(["--diff", "--missing-sql=a/b.sql"])
    assert (words, variables) == (["--diff"], {schema_plan.MISSING_SQL: str(Path("a/b.sql").absolute())})
    assert missing_sql.take_option(["--diff"]) == (["--diff"], {})


def test_the_option_without_a_file_is_refused() -> None:
    """The message has an example."""
    with pytest.raises(SetupError, match=r"--missing-sql without a file; write --missing-sql=missing\.sql"):
        missing_sql.take_option(["--missing-sql"])


def test_a_preview_tells_the_program_of_the_file(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi is not given the option, which is no one of its own, and the program finds the file in a variable."""
    log = tmp_path / "log"
    machine.program("pulumi", f'[ "$1" = version ] || echo "$@ ${missing_sql.MISSING_SQL}" >{log}\n')
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///somewhere")
    stack.run("preview", "prod", ["--diff", f"--missing-sql={tmp_path}/a.sql"], environment())
    assert "--missing-sql" not in log.read_text()
    assert log.read_text().endswith(f" --diff {tmp_path}/a.sql\n")
