"""The schema as the modules in migrations/baseline/ make it.

Revision ID: 0001
"""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Refuse: an empty database is filled by the modules, and one from before is brought here by `adopt`."""
    raise NotImplementedError("a database cannot be brought to the baseline by revisions; `make up` fills an empty one")


def downgrade() -> None:
    """Refuse: there is nothing before the baseline."""
    raise NotImplementedError("there is no revision before the baseline")
