"""A database made by a Python program of its own, with Pulumi's Automation API: `python inline.py up` or `destroy`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pulumi
from pulumi import automation

from platform_postgres import PostgresDatabase

MODULES = Path(__file__).parents[1] / "shop" / "sql"


def program() -> None:
    """Declare the database."""
    shop = PostgresDatabase("shop", modules=MODULES, extensions=["pg_trgm"])
    pulumi.export("dsn", shop.dsn)


with TemporaryDirectory() as folder:  # Pulumi would make one for the stack's file, and leave it
    # Pulumi starts another Python for what the database needs; this one has the packages.
    options = automation.LocalWorkspaceOptions(work_dir=folder, env_vars={"PULUMI_PYTHON_CMD": sys.executable})
    stack = automation.create_or_select_stack("dev", project_name="inline", program=program, opts=options)
    if sys.argv[1] == "up":
        print(stack.up().summary.resource_changes)
    else:
        print(stack.destroy().summary.resource_changes)
