"""Programs that this project is compared with: an empty one, one of idle resources, one of naive SQL modules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.program import ROOT, Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from infra.postgres.connection.session import Session

EMPTY = ""

IDLE = """\
import sys

sys.path.append({root!r})
from infra.sdk_tuning import depends_only_on, disable_garbage_collection, drop_debug_messages, drop_stack_traces

disable_garbage_collection()

import pulumi
from idle import Nothing

drop_debug_messages()
drop_stack_traces()
last = []
for number in range({count}):
    last = [depends_only_on(Nothing(f"nothing-{{number}}", pulumi.ResourceOptions(depends_on=last)))]
"""
PLUGIN = """\
import json
from pathlib import Path

provider = None
for type_name, values in json.loads(Path("plugin.json").read_text()):
    version = pulumi.ResourceOptions(version=values.pop("version", None))
    if provider is None:
        provider = pulumi.ProviderResource("postgresql", "admin", values, version)
        last = [provider]
    else:
        waits = "roles" in values or "owner" in values  # for the roles that it names
        opts = pulumi.ResourceOptions(provider=provider, depends_on=last if waits else None)
        created = pulumi.CustomResource(type_name, f"{{type_name}}-{{values['name']}}", values, opts)
        last = [created] if "/database:" in type_name else [*last, created]
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
    """Return a program that declares nothing, after its first `up`."""
    program = _write_program(folder, {"__main__.py": EMPTY})
    program.up()
    return program


def idle_program(folder: Path, count: int) -> Program:
    """Return a program with a chain of dynamic resources that do nothing, declared as this project declares its own.

    What it takes is the cost of Pulumi itself.
    """
    values = {"root": str(ROOT), "count": count}
    return _write_program(folder, {"__main__.py": IDLE.format(**values), "idle.py": IDLE_PROVIDER.format(**values)})


def idle_program_with_plugin(folder: Path, resources: Sequence[Mapping[str, Any]]) -> Program:
    """Return a program with the plugin's resources of a state, under other names, and idle ones for all others.

    What it takes is the cost of Pulumi with the plugin.
    """
    plugin = [
        (resource["type"], _renamed(resource["inputs"]))
        for resource in resources
        if resource["type"] == "pulumi:providers:postgresql" or resource["type"].startswith("postgresql:")
    ]
    values = {"root": str(ROOT), "count": len(resources) - len(plugin)}
    files = {
        "__main__.py": (IDLE + PLUGIN).format(**values),
        "idle.py": IDLE_PROVIDER.format(**values),
        "plugin.json": json.dumps(plugin),
    }
    return _write_program(folder, files)


def _renamed(inputs: Mapping[str, str | int | list[str] | dict[str, str]]) -> dict[str, Any]:
    """Return the inputs of a resource of the plugin as a program gives them, its roles and databases named anew."""
    values: dict[str, Any] = {
        name: json.loads(value["plaintext"]) if isinstance(value, dict) else value
        for name, value in inputs.items()
        if not name.startswith("__")
    }
    values |= {name: f"idle_{values[name]}" for name in ("name", "owner") if name in values}
    return values | ({"roles": [f"idle_{role}" for role in values["roles"]]} if "roles" in values else {})


def naive_program(folder: Path, session: Session, directory: Path) -> Program:
    """Return a program with a chain of modules that are only executed: no ownership, no ledger, no lock, no secret."""
    target = session.target
    conninfo = (
        f"host={target.host} port={target.port} dbname={target.database} user={target.user}"
        f" password={target.password} options='-c role={session.owner} -c search_path=public'"
    )
    main = NAIVE.format(directory=str(directory), conninfo=conninfo)
    return _write_program(folder, {"__main__.py": main, "naive.py": NAIVE_PROVIDER})


def _write_program(folder: Path, files: dict[str, str]) -> Program:
    program = Program(folder)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    for name, text in files.items():
        (folder / name).write_text(text)
    program.make_stack()
    return program
