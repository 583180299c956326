"""Imports go one way; this reads all of them, also those inside functions, and holds each file to its layer."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Layer:
    """A room of the program: its modules by pattern, and the packages of others that it may import."""

    name: str
    modules: tuple[str, ...]
    packages: tuple[str, ...] = ()


# From the bottom to the top: a layer may import itself and whatever stands below it, but nothing beside or above it.
RANKS: list[list[Layer]] = [
    [
        Layer("errors", ("infra.errors",)),
        Layer("lazy module", ("infra.lazy_module",)),
        Layer("sdk tuning", ("infra.sdk_tuning",), ("pulumi",)),
    ],
    [Layer("models", ("models",), ("sqlalchemy",))],
    [Layer("modules", ("infra.modules",), ("postgast",)), Layer("catalog", ("infra.catalog",))],
    [
        Layer("plan", ("infra.plan",)),
        Layer("folder", ("infra.folder",), ("yaml",)),
        Layer("migrations", ("infra.migrations",), ("alembic", "sqlalchemy")),
    ],
    [
        Layer("hazards", ("infra.hazards",)),
        Layer("generate", ("infra.generate",), ("sqlalchemy",)),
        Layer("findings", ("infra.findings",)),
        Layer("diagram", ("infra.schema_docs.diagram",)),
    ],
    [Layer("pages", ("infra.schema_docs.pages",), ("jinja2", "markupsafe"))],
    [Layer("lint", ("infra.lint",), ("yaml",))],
    [Layer("connection", ("infra.postgres.connection",), ("psycopg", "stamina"))],
    [Layer("introspection", ("infra.postgres.introspection",), ("psycopg",))],
    [Layer("ledger", ("infra.postgres.ledger",), ("psycopg",))],
    [Layer("private schemas", ("infra.postgres.private_schemas",))],
    [
        Layer("apply", ("infra.postgres.apply",), ("psycopg",)),
        Layer(
            "roles",
            (
                "infra.postgres.clones",
                "infra.postgres.extensions",
                "infra.postgres.memberships",
                "infra.postgres.declared_attributes",
                "infra.postgres.access",
                "infra.postgres.access_drift",
                "infra.postgres.privileges",
                "infra.postgres.server_privileges",
                "infra.postgres.rename_roles",
                "infra.postgres.sessions",
                "infra.postgres.role_passwords",
                "infra.postgres.shared_objects",
                "infra.postgres.database_roles",
                "infra.postgres.marks",
            ),
            ("psycopg",),
        ),
    ],
    [Layer("groups", ("infra.postgres.groups",), ("psycopg",))],
    [
        Layer(
            "server files",
            ("infra.server.file_io", "infra.server.ports", "infra.server.certificates"),
            ("cryptography",),
        )
    ],
    [
        Layer("embedded", ("infra.server.embedded",), ("psycopg", "psutil")),
        Layer("external", ("infra.server.external", "infra.server.dsn"), ("psycopg",)),
    ],
    [
        Layer("docker", ("infra.server.docker",), ("docker", "psycopg", "requests")),
        Layer("scratch", ("infra.server.scratch",), ("psycopg",)),
    ],
    [Layer("backup", ("infra.backup",), ("psycopg",))],
    [Layer("resources", ("infra.resources",), ("pulumi", "grpc"))],
    [Layer("settings", ("infra.settings",), ("pydantic",))],
    [Layer("check", ("infra.check",), ("psycopg", "sqlalchemy", "alembic", "yaml"))],
    [Layer("review", ("infra.review",), ("psycopg", "sqlalchemy"))],
    [
        Layer("import", ("infra.sql_import",), ("sqlalchemy", "sqlacodegen")),
        Layer("environments", ("infra.environments",), ("psycopg", "pulumi", "rich", "semver", "yaml")),
    ],
    [
        Layer("schema files", ("infra.schema_docs.schema_files",), ("sqlalchemy",)),
        Layer("revisions", ("infra.revisions",), ("psycopg", "sqlalchemy", "alembic")),
    ],
    [Layer("cli", ("infra.cli", "infra.commands", "infra.__main__"), ("typer",))],
    [Layer("program", ("infra.program",), ("pulumi", "pulumi_postgresql", "pulumi_docker"))],
    [
        Layer("platform_postgres", ("platform_postgres",), ("pulumi",)),
        Layer("testing", ("infra.testing",), ("psycopg",)),
        Layer("pytest plugin", ("pytest_platform_postgres",), ("pytest",)),
        Layer("__main__", ("__main__",)),
    ],
    [Layer("toolchain", ("toolchain", *(path.stem for path in ROOT.joinpath("toolchain").glob("*.py"))))],
]


# What a layer may not import although it stands below.
FORBIDDEN = {
    "models": ["errors", "lazy module", "sdk tuning"],  # SQLAlchemy alone, so that any program can use them
    "modules": ["models", "sdk tuning"],  # pure
    "catalog": ["models", "sdk tuning"],  # pure
    "migrations": ["models", "sdk tuning", "catalog", "folder", "plan"],  # reads files, and reaches no database
    "hazards": ["models", "sdk tuning", "catalog", "folder", "plan"],  # pure
    "lint": ["models", "plan", "catalog", "generate", "diagram", "pages"],  # looks at SQL alone
    "folder": ["models", "catalog", "sdk tuning"],  # reads settings
    "generate": ["models", "plan"],  # imports the models that the settings of a folder name
    "findings": ["models", "modules", "catalog", "folder"],  # only shows what others found
    "diagram": ["models", "modules", "folder"],  # a structure in, a picture out
    "pages": ["models", "modules", "folder", "generate"],  # a structure and places in, text out
    "schema files": ["resources", "settings"],  # a command, without Pulumi
    "check": ["resources"],  # a command, without Pulumi
    "review": ["resources"],  # a command, without Pulumi
    "revisions": ["resources"],  # a command, without Pulumi
    "environments": ["resources", "generate", "lint", "apply", "ledger"],  # runs Pulumi, and declares nothing
    "import": ["resources", "settings"],  # a command, without Pulumi
    "cli": ["embedded", "docker", "scratch", "resources", "settings"],  # each command has a room of its own
    "embedded": ["apply", "ledger", "introspection"],  # a server knows nothing of modules
    "__main__": ["resources"],  # only tunes and runs
    "program": ["apply", "ledger", "introspection", "embedded", "scratch", "check", "cli"],  # declares, does no I/O
    "platform_postgres": [
        "apply",
        "ledger",
        "introspection",
        "embedded",
        "scratch",
        "check",
        "cli",
    ],  # as little
    "testing": ["resources", "cli"],  # without Pulumi
    "pytest plugin": [layer.name for rank in RANKS[:-2] for layer in rank],  # is loaded in every run of pytest
    "toolchain": [layer.name for rank in RANKS[:-1] for layer in rank],  # runs before anything is installed
}

# Imports for annotations only (`if TYPE_CHECKING:`) that go against the order, each with its reason.
FOR_ANNOTATIONS = {
    ("infra/resources/embedded_server.py", "infra.settings"): "its constructor takes the group of settings whole",
    ("infra/resources/docker_plan.py", "infra.settings"): "its constructor takes the group of settings whole",
    ("infra/settings/loader.py", "pydantic_core"): "the type of pydantic's own error details",
    ("infra/settings/problems.py", "pydantic_core"): "the type of pydantic's own error details",
}

TYPING = ["typing_extensions"]  # for annotations that Python 3.10 lacks

ONLY_IN = {
    "postgast": ["infra/modules/statements.py"],  # one file knows the parser
    "psutil": ["infra/server/embedded/processes.py"],  # installed on macOS only
    "stamina": ["infra/postgres/connection/retry.py"],  # one file decides what is tried again
    "cryptography": ["infra/server/certificates.py"],  # imported where a certificate is made
    "grpc": ["infra/resources/console.py"],  # Pulumi's own transport: its SDK gives dynamic providers no way to log
    "jinja2": ["infra/schema_docs/pages/page.py"],  # installed for development only
    "sqlacodegen": ["infra/sql_import/declarative.py"],  # installed for development only
    "markupsafe": ["infra/schema_docs/pages/page.py"],
    "alembic": [
        "infra/check/alembic_comparison.py",
        "infra/migrations/order.py",
        "infra/migrations/revision_sql.py",
        "infra/revisions/autogenerated.py",
    ],
    "importlib": [  # code is imported by name where it is rarely needed, or may be absent
        "infra/sdk_tuning.py",
        "infra/lazy_module.py",
        "infra/generate/module_imports.py",
        "infra/server/embedded/distribution.py",
        "infra/check/alembic_comparison.py",
        "infra/sql_import/declarative.py",
    ],
}

FILES = sorted(
    str(path.relative_to(ROOT))
    for path in [
        ROOT / "__main__.py",
        ROOT / "pytest_platform_postgres.py",
        *(path for top in ("infra", "models", "platform_postgres", "toolchain") for path in (ROOT / top).rglob("*.py")),
    ]
)


@dataclass(frozen=True)
class Import:
    """One imported module, and whether it is there for annotations only."""

    module: str
    for_annotations: bool = False


def imports(source: str) -> list[Import]:
    """Read every import of a file; of `from a import b` both a and a.b, since b may be a module."""
    found: list[Import] = []

    def read(node: ast.AST, *, for_annotations: bool) -> None:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            names = [package, *(f"{package}.{name.name}" for name in node.names)]
        found.extend(Import(name, for_annotations) for name in names)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for child in node.body:
                read(child, for_annotations=True)
            for child in node.orelse:
                read(child, for_annotations=for_annotations)
            return
        for child in ast.iter_child_nodes(node):
            read(child, for_annotations=for_annotations)

    read(ast.parse(source), for_annotations=False)
    return found


def rank_and_layer(module: str) -> tuple[int, Layer] | None:
    """Return the height and the layer of a module of this project, None for any other module."""
    for rank, layers in enumerate(RANKS):
        for layer in layers:
            if any(fnmatchcase(module, pattern) or module.startswith(f"{pattern}.") for pattern in layer.modules):
                return rank, layer
    return None


def name_of(file: str) -> str:
    """Return a file's name as a module."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_excepted(file: str, imported: Import) -> bool:
    """Return whether an import is for annotations only, and one of those that may go against the order."""
    module = f"{imported.module}."
    return imported.for_annotations and any(
        file == where and module.startswith(f"{what}.") for where, what in FOR_ANNOTATIONS
    )


def objection(file: str, imported: Import) -> str:
    """Return what is wrong with an import in a file, '' when nothing is."""
    package = imported.module.partition(".")[0]
    here, there = rank_and_layer(name_of(file)), rank_and_layer(imported.module)
    if is_excepted(file, imported):
        return ""
    if here is None:
        return f"{file} belongs to no layer"
    height, layer = here
    if there is None:
        packages = {*sys.stdlib_module_names, *layer.packages, *(TYPING if imported.for_annotations else ())}
        is_room = package == "infra" and ROOT.joinpath(imported.module.replace(".", "/"), "__init__.py").is_file()
        allowed = is_room or (package in packages and file in ONLY_IN.get(package, [file]))
        return "" if allowed else f"{file} may not import {imported.module}"
    other_height, other = there
    if layer == other or (other_height < height and other.name not in FORBIDDEN.get(layer.name, [])):
        return ""
    return f"{file} imports {imported.module}, and {layer.name} may not import {other.name}"


def test_imports_go_one_way() -> None:
    """A file imports its own layer, what stands below it, and the packages that its layer is for."""
    found = [
        (file, imported) for file in FILES for imported in imports(ROOT.joinpath(file).read_text(encoding="utf-8"))
    ]
    assert list(filter(None, (objection(file, imported) for file, imported in found))) == []


HOLD_ROOMS = ("postgres", "server", "schema_docs")


def folder_of(file: str) -> str:
    """Return the room of a file; a file that stands beside rooms is one of its own (infra/errors.py, server/dsn.py)."""
    *folders, _ = file.split("/")
    if folders in (["infra"], *(["infra", name] for name in HOLD_ROOMS)):
        return file
    return "/".join(folders[: 3 if folders[1] in HOLD_ROOMS else 2])


def import_graph(*, of_folders: bool) -> dict[str, set[str]]:
    """Return who imports whom in infra/, folders or files; imports for annotations count, but for the exceptions."""
    names = {name_of(file): file for file in FILES if file.startswith("infra/") and not file.endswith("__init__.py")}
    node = folder_of if of_folders else str
    edges: dict[str, set[str]] = {node(file): set() for file in names.values()}
    for file in names.values():
        for imported in imports(ROOT.joinpath(file).read_text(encoding="utf-8")):
            target = names.get(imported.module)
            if target and node(target) != node(file) and not is_excepted(file, imported):
                edges[node(file)].add(node(target))
    return edges


@pytest.mark.parametrize("of_folders", [True, False])
def test_nothing_imports_in_a_circle(of_folders: bool) -> None:  # noqa: FBT001 (a case)
    """Neither the rooms of infra/ nor its files import each other in a circle."""
    try:
        order = list(TopologicalSorter(import_graph(of_folders=of_folders)).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' imports '.join(reversed(error.args[1]))}")
    assert len(order) > 15


def test_every_file_is_read() -> None:
    """The files that are read are those that there are, and more than a few."""
    assert len(FILES) > 50
    assert {"__main__.py", "infra/errors.py", "infra/postgres/apply/runner.py", "toolchain/setup.py"} <= set(FILES)
    rooms = {
        "infra/__init__.py",
        "infra/postgres/__init__.py",
        "infra/server/__init__.py",
        "infra/schema_docs/__init__.py",
    }
    assert [file for file in FILES if file not in rooms and not rank_and_layer(name_of(file))] == []


def test_imports_are_found_wherever_they_stand() -> None:
    """Imports inside functions, classes, conditions and handlers are read, those for annotations as such."""
    source = """
import a.b as c, d
from e import f
from . import g
if TYPE_CHECKING:
    from h import i
else:
    import j
class K:
    def l(self):
        try:
            import m.n
        except ImportError:
            from o.p import q as r
        if TYPE_CHECKING:
            if True:
                import s
"""
    assert imports(source) == [
        *map(Import, ["a.b", "d", "e", "e.f", ".", "..g"]),
        *(Import(module, for_annotations=True) for module in ("h", "h.i")),
        *map(Import, ["j", "m.n", "o.p", "o.p.q"]),
        Import("s", for_annotations=True),
    ]


# file, what it imports, and whether that may be
CASES = [
    ("infra/modules/order.py", "infra.errors", True),
    ("infra/modules/order.py", "infra.modules.module", True),
    ("infra/modules/order.py", "models", False),
    ("infra/modules/order.py", "infra.catalog.catalog", False),
    ("infra/modules/order.py", "infra.postgres.connection.pool", False),
    ("infra/modules/order.py", "psycopg.sql", False),
    ("infra/modules/order.py", "pulumi", False),
    ("infra/modules/order.py", "postgast", False),
    ("infra/modules/statements.py", "postgast", True),
    ("infra/modules/order.py", "importlib", False),
    ("infra/modules/order.py", ".module", False),
    ("infra/generate/ddl.py", "models", False),
    ("infra/generate/ddl.py", "sqlalchemy", True),
    ("infra/generate/ddl.py", "psycopg", False),
    ("infra/catalog/diagram.py", "infra.modules.module", False),
    ("infra/catalog/diagram.py", "psycopg", False),
    ("infra/catalog/diagram.py", "sqlalchemy", False),
    ("infra/errors.py", "infra.modules.module", False),
    ("infra/errors.py", "re", True),
    ("infra/sdk_tuning.py", "pulumi.resource", True),
    ("infra/sdk_tuning.py", "infra.resources.base", False),
    ("infra/postgres/connection/pool.py", "infra.catalog.catalog", True),
    ("infra/postgres/connection/pool.py", "infra.postgres.introspection.reader", False),
    ("infra/postgres/connection/pool.py", "infra.server.embedded.file_lock", False),
    ("infra/postgres/connection/pool.py", "infra.settings.model", False),
    ("infra/postgres/connection/pool.py", "pulumi", False),
    ("infra/postgres/introspection/reader.py", "infra.postgres.connection.pool", True),
    ("infra/postgres/introspection/reader.py", "infra.postgres.ledger.ledger", False),
    ("infra/postgres/ledger/ledger.py", "infra.postgres.introspection.reader", True),
    ("infra/postgres/ledger/ledger.py", "infra.postgres.apply.runner", False),
    ("infra/postgres/apply/runner.py", "infra.postgres.ledger.ledger", True),
    ("infra/server/embedded/cluster.py", "infra.postgres.connection.target", True),
    ("infra/server/embedded/cluster.py", "infra.postgres.apply.runner", False),
    ("infra/server/embedded/cluster.py", "infra.server.docker.engine", False),
    ("infra/server/embedded/cluster.py", "pulumi", False),
    ("infra/server/embedded/cluster.py", "infra.resources.base", False),
    ("infra/server/docker/image.py", "infra.server.embedded.validation", True),
    ("infra/server/scratch/reaper.py", "infra.server.embedded.processes", True),
    ("infra/server/scratch/reaper.py", "infra.check.checker", False),
    ("infra/resources/passwords.py", "infra.postgres.connection.scram", True),
    ("infra/resources/passwords.py", "pulumi.dynamic", True),
    ("infra/resources/passwords.py", "pulumi_postgresql", False),
    ("infra/resources/actions/session.py", "infra.backup.before_loss", True),
    ("infra/backup/dump.py", "infra.settings.model", False),
    ("infra/backup/dump.py", "pulumi", False),
    ("infra/resources/passwords.py", "infra.program.stack", False),
    ("infra/resources/passwords.py", "infra.settings.model", False),
    ("infra/settings/loader.py", "infra.settings.model", True),
    ("infra/settings/loader.py", "pulumi", False),
    ("infra/settings/model.py", "infra.program.connections", False),
    ("infra/program/database.py", "infra.program.server", True),
    ("infra/program/database.py", "psycopg", False),
    ("infra/program/stack.py", "infra.postgres.apply.runner", False),
    ("infra/program/run.py", "infra.program.stack", True),
    ("platform_postgres/database.py", "infra.program.database", True),
    ("platform_postgres/database.py", "psycopg", False),
    ("platform_postgres/database.py", "infra.postgres.apply.runner", False),
    ("infra/program/database.py", "platform_postgres.server", False),
    ("__main__.py", "infra.program.run", True),
    ("__main__.py", "infra.sdk_tuning", True),
    ("__main__.py", "infra.resources.base", False),
    ("infra/commands/schema.py", "infra.generate.from_models", True),
    ("infra/commands/schema.py", "models", True),
    ("infra/commands/schema.py", "infra.resources.base", False),
    ("infra/commands/schema.py", "infra.program.stack", False),
    ("infra/commands/schema.py", "infra.settings.model", False),
    ("infra/commands/schema.py", "pulumi", False),
    ("infra/commands/schema.py", "infra.schema_docs.schema_files", True),
    ("infra/commands/schema.py", "infra.check.checker", True),
    ("infra/commands/schema.py", "infra.lint.linter", True),
    ("infra/__main__.py", "infra.cli", True),
    ("infra/schema_docs/diagram/svg.py", "infra.catalog.structure", True),
    ("infra/schema_docs/diagram/svg.py", "infra.schema_docs.pages.page", False),
    ("infra/schema_docs/diagram/svg.py", "infra.postgres.introspection.reader", False),
    ("infra/schema_docs/diagram/svg.py", "models", False),
    ("infra/schema_docs/pages/page.py", "jinja2", True),
    ("infra/schema_docs/pages/page.py", "infra.schema_docs.diagram.colours", True),
    ("infra/schema_docs/pages/page.py", "infra.modules.module", False),
    ("infra/schema_docs/pages/contents.py", "jinja2", False),
    ("infra/schema_docs/schema_files.py", "infra.check.in_models", True),
    ("infra/schema_docs/schema_files.py", "infra.schema_docs.pages.page", True),
    ("infra/schema_docs/schema_files.py", "infra.resources.base", False),
    ("infra/schema_docs/schema_files.py", "pulumi", False),
    ("infra/check/checker.py", "infra.schema_docs.schema_files", False),
    ("infra/check/checker.py", "infra.server.scratch.scratch_server", True),
    ("infra/check/checker.py", "infra.findings.finding", True),
    ("infra/check/checker.py", "models", True),
    ("infra/check/stack_files.py", "infra.settings.model", True),
    ("infra/check/checker.py", "infra.resources.base", False),
    ("infra/check/checker.py", "pulumi", False),
    ("infra/check/checker.py", "alembic", False),
    ("infra/check/alembic_comparison.py", "alembic.migration", True),
    ("infra/lint/linter.py", "infra.findings.finding", True),
    ("infra/lint/linter.py", "infra.modules.statements", True),
    ("infra/lint/linter.py", "infra.generate.ddl", False),
    ("infra/lint/options.py", "infra.settings.model", False),
    ("infra/lint/linter.py", "psycopg", False),
    ("infra/lint/linter.py", "models", False),
    ("infra/findings/text.py", "infra.errors", True),
    ("infra/findings/text.py", "infra.modules.module", False),
    ("infra/findings/text.py", "infra.catalog.catalog", False),
    ("models/user.py", "sqlalchemy.orm", True),
    ("models/user.py", "models.base", True),
    ("models/user.py", "infra.errors", False),
    ("models/user.py", "psycopg", False),
    ("infra/testing/template.py", "infra.check.stack_files", True),
    ("infra/testing/template.py", "pulumi", False),
    ("pytest_platform_postgres.py", "pytest", True),
    ("pytest_platform_postgres.py", "infra.errors", False),
    ("toolchain/setup.py", "parts", True),
    ("toolchain/setup.py", "json", True),
    ("toolchain/setup.py", "infra.errors", False),
    ("toolchain/setup.py", "models", False),
    ("toolchain/setup.py", "pydantic", False),
    ("infra/modules/order.py", "infra", True),
    ("infra/modules/order.py", "infra.brand_new", False),
    ("infra/brand_new.py", "re", False),
]


@pytest.mark.parametrize(("file", "module", "allowed"), CASES)
def test_what_may_import_what(file: str, module: str, allowed: bool) -> None:  # noqa: FBT001 (a case)
    """The order says of each pair whether the one may import the other; what belongs to no layer may import nothing."""
    assert (objection(file, Import(module)) == "") is allowed


def test_an_import_for_annotations_is_an_import() -> None:
    """What is imported for annotations only goes the same way, but for the exceptions, which are used."""
    assert objection("infra/catalog/catalog.py", Import("psycopg", for_annotations=True))
    assert objection("infra/catalog/catalog.py", Import("typing_extensions"))
    assert not objection("infra/catalog/catalog.py", Import("typing_extensions", for_annotations=True))
    assert objection("infra/resources/embedded_server.py", Import("infra.settings.model"))
    for file, module in FOR_ANNOTATIONS:
        found = imports(ROOT.joinpath(file).read_text(encoding="utf-8"))
        exceptions = [imported for imported in found if is_excepted(file, imported) and module in imported.module]
        assert exceptions, f"{file} has no need of its exception for {module}"


def test_every_test_states_a_behaviour() -> None:
    """Each test has a docstring that is a sentence, or begins with one: together they are the specification."""
    for path in sorted(ROOT.joinpath("tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").split("\n\n")[0]
                assert len(sentence) > 1, f"{path.name}: {node.name}"
                assert sentence.endswith("."), f"{path.name}: {node.name}"
