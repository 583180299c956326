"""Comments on hazards belong to the statement that they are at."""

from __future__ import annotations

from infra.hazards.allowances import comments_at

PYTHON = """\
def upgrade():
    # hazard: allow rewrite until 2026-12-31: a
    # The table is small.
    op.alter_column(
        "a",
    )
    op.execute("x")  # hazard: allow scan until 2026-12-31: b
    op.execute("y")
""".splitlines()


def test_a_comment_is_before_the_statement_or_in_its_line() -> None:
    """In Python with #, in SQL with --; a line of code in between ends what is before a statement."""
    assert comments_at(PYTHON, 4) == ("allow rewrite until 2026-12-31: a",)
    assert comments_at(PYTHON, 7) == ("allow scan until 2026-12-31: b",)
    assert comments_at(PYTHON, 8) == ()
    assert comments_at(["-- hazard: allow loss until 2026-12-31: c", "DROP TABLE t;"], 2) == (
        "allow loss until 2026-12-31: c",
    )
    assert comments_at([], 1) == ()
