"""The schema as the modules in migrations/baseline/ make it.

Revision ID: 0001
"""

from alembic.util import CommandError

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Refuse: modules fill an empty database, and no revision leads here from an older one."""
    raise CommandError("a database cannot be brought to the baseline by revisions; `make up` fills an empty one")


def downgrade() -> None:
    """Refuse: there is nothing before the baseline."""
    raise CommandError("there is no revision before the baseline")
