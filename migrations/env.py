"""Alembic's environment, for `alembic` typed by hand: `alembic -x stack=dev current`, or with --sql and no database.

`make up` runs the same revisions by itself; what is typed here takes the same lock, and runs as the owner role.
"""

from __future__ import annotations

from pathlib import Path

from alembic import context
from alembic.util import CommandError

from infra.commands.options import models_of
from infra.errors import InfraError
from infra.folder.modules_yaml import read_folder_settings
from infra.revisions.by_hand import AS_OWNER, locked_connection_of, refuse_squashed, target_of_arguments

models = models_of(read_folder_settings(Path("sql")))
metadata = models.metadata if models else None

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        target_metadata=metadata,
        version_table_schema="sqlmodule",
        transaction_per_migration=True,
    )
    for statement in AS_OWNER:
        context.execute(statement)
    context.run_migrations()
else:
    try:
        options, directory = context.config.cmd_opts, str(Path(__file__).parent)
        refuse_squashed(getattr(options, "revision", None), directory)
        target = target_of_arguments(context.get_x_argument(as_dictionary=True), Path())
        stamped_anew = getattr(options, "purge", False)  # `stamp --purge` replaces a stamp of any history
        with locked_connection_of(target, "" if stamped_anew else directory) as connection:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                version_table_schema="sqlmodule",
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    except InfraError as error:
        raise CommandError(str(error)) from None
