"""Programs that this project is measured beside: an empty one, one of idle resources, and one of naive modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.program import ROOT, Program

if TYPE_CHECKING:
    from pathlib import Path

    from infra.postgres.connection.session import Session

EMPTY = ""

IDLE = """\
import sys

sys.path.append({root!r})
from infra.sdk_tuning import collect_none

collect_none()

import pulumi
from idle import Nothing
from infra.resources.base import after
from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2

pulumi.log.debug = lambda *_, **__: None
resource._get_stack_trace = source_pb2.StackTrace
last = []
for number in range({count}):
    last = [after(Nothing(f"nothing-{{number}}", pulumi.ResourceOptions(depends_on=last)))]
"""
IDLE_PROVIDER = """\
import sys

from pulumi.dynamic import CreateResult

sys.path.append({root!r})
from infra.resources.base import DynamicResource, Provider


class Idle(Provider):
    def create(self, props):
        return CreateResult("nothing", {{}})


class Nothing(DynamicResource):
    def __init__(self, name, opts):
        super().__init__(Idle, name, {{}}, opts)
"""

NAIVE = """\
from pathlib import Path

import pulumi
from naive import Module

last = []
for path in sorted(Path({directory!r}).glob("*.sql")):
    last = [Module(path.stem, path.read_text(), {conninfo!r}, pulumi.ResourceOptions(depends_on=last))]
"""
NAIVE_PROVIDER = """\
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, id, olds, news):
        return DiffResult(changes=olds["text"] != news["text"])

    def create(self, props):
        import psycopg

        with psycopg.connect(props["conninfo"]) as connection:
            connection.execute(props["text"])
        return CreateResult(props["name"], props)


class Module(Resource):
    def __init__(self, name, text, conninfo, opts):
        super().__init__(Provider(), name, {"name": name, "text": text, "conninfo": conninfo}, opts)
"""


def empty_program(folder: Path) -> Program:
    """Make a program that declares nothing."""
    program = _made(folder, {"__main__.py": EMPTY})
    program.up()
    return program


def idle_program(folder: Path, count: int) -> Program:
    """Make a chain of dynamic resources, declared as this project's are, that do nothing: what Pulumi itself costs."""
    values = {"root": str(ROOT), "count": count}
    return _made(folder, {"__main__.py": IDLE.format(**values), "idle.py": IDLE_PROVIDER.format(**values)})


def naive_program(folder: Path, session: Session, directory: Path) -> Program:
    """Make a chain of modules that are sent to PostgreSQL and no more: no ownership, no ledger, no lock, no secret."""
    target = session.target
    conninfo = (
        f"host={target.host} port={target.port} dbname={target.database} user={target.user}"
        f" password={target.password} options='-c role={session.owner} -c search_path=public'"
    )
    main = NAIVE.format(directory=str(directory), conninfo=conninfo)
    return _made(folder, {"__main__.py": main, "naive.py": NAIVE_PROVIDER})


def _made(folder: Path, files: dict[str, str]) -> Program:
    program = Program(folder)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    for name, text in files.items():
        (folder / name).write_text(text)
    program.make_stack()
    return program
