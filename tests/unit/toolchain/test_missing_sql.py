"""The option of `make preview` by which the SQL of what databases lack goes to a file."""

from __future__ import annotations

from pathlib import Path

import missing_sql
import pytest
from parts import SetupError

from infra.resources.actions import schema_plan


def test_the_option_is_taken_from_the_words_for_pulumi() -> None:
    """The file is named as seen from where make runs; both programs name the same variable."""
    words, variables = missing_sql.take_option(["--diff", "--missing-sql=a/b.sql"])
    assert (words, variables) == (["--diff"], {schema_plan.MISSING_SQL: str(Path("a/b.sql").absolute())})
    assert missing_sql.take_option(["--diff"]) == (["--diff"], {})


def test_the_option_without_a_file_is_refused() -> None:
    """The message has an example."""
    with pytest.raises(SetupError, match=r"--missing-sql without a file; write --missing-sql=missing\.sql"):
        missing_sql.take_option(["--missing-sql"])
