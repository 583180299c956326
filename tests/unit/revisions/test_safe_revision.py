"""Calls that would stop others for long are written in their safe forms, and the others stay as they are."""

from __future__ import annotations

from datetime import date

from infra.hazards.measured import MeasuredStatement
from infra.revisions.safe_revision import safe_lines

LINES = [
    "op.add_column(",
    "    'a', sa.Column('n', sa.Integer()),",
    ")",
    "op.create_index('i', 'a', ['n'])",
    "op.execute('ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0)')",
    "op.create_index('j', 'b', ['n'])",
]
LARGE = frozenset({"public.a"})
STATEMENTS = [
    MeasuredStatement("ALTER TABLE a ADD COLUMN n INTEGER;", "x", 10, {"public.a": "ACCESS EXCLUSIVE"}, commits=False),
    MeasuredStatement("CREATE INDEX i ON a (n);", "x", 13, {}, scanned=LARGE, commits=False),
    MeasuredStatement("ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0);", "x", 14, {}, scanned=LARGE, commits=False),
    MeasuredStatement("CREATE INDEX j ON b (n);", "x", 15),
]


def test_safe_forms_share_a_block_that_commits_each_statement() -> None:
    """A table that is new, and a call without hazards, are left alone."""
    assert safe_lines(LINES, STATEMENTS, 10, today=date(2026, 11, 26)) == [
        *LINES[:3],
        "with op.get_context().autocommit_block():  # each statement commits, so that no lock is held for long",
        "    op.execute('CREATE INDEX CONCURRENTLY i ON a USING btree (n)')",
        "    op.execute('ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0) NOT VALID')",
        "    op.execute('ALTER TABLE a VALIDATE CONSTRAINT c')",
        LINES[5],
    ]
