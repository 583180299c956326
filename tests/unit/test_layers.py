"""Imports go one way; this reads all of them, also those inside functions, and holds each file to its layer."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 250  # lines; past that a file is probably two


@dataclass(frozen=True)
class Layer:
    """A part of the program: its modules by pattern, and the packages of others that it may import."""

    name: str
    modules: tuple[str, ...]
    packages: tuple[str, ...] = ()


# From the bottom to the top: a layer may import itself and whatever stands below it, but nothing beside or above it.
RANKS: list[list[Layer]] = [
    [Layer("errors", ("infra.errors",)), Layer("garbage", ("infra.sdk_tuning",))],
    [Layer("models", ("models",), ("sqlalchemy",))],
    [
        Layer("modules", ("infra.modules",), ("postgast", "sqlalchemy")),
        Layer("catalog", ("infra.catalog",)),
    ],
    [Layer("findings", ("infra.findings",)), Layer("diagram", ("infra.schema_docs.diagram",))],
    [Layer("documentation", ("infra.schema_docs.pages",), ("jinja2", "markupsafe"))],
    [Layer("lint", ("infra.lint",), ("yaml",))],
    [Layer("postgres", ("infra.postgres",), ("psycopg", "stamina"))],
    [Layer("server", ("infra.server",), ("psycopg", "cryptography"))],
    [Layer("resources", ("infra.resources",), ("pulumi", "grpc"))],
    [
        Layer("settings", ("infra.settings.model", "infra.settings.values", "infra.settings.loader"), ("pydantic",)),
        Layer("connections", ("infra.program.connections",)),
    ],
    [Layer("check", ("infra.check",), ("psycopg", "sqlalchemy", "alembic", "yaml"))],
    [Layer("schema files", ("infra.schema_docs.files",), ("sqlalchemy",))],
    [Layer("cli", ("infra.cli", "infra.__main__"), ("typer",))],
    [Layer("declarations", ("infra.declare*",), ("pulumi", "pulumi_postgresql", "pulumi_docker"))],
    [Layer("stack", ("infra.program.stack",), ("pulumi",))],
    [Layer("program", ("infra.program.run",), ("pulumi",))],
    [Layer("__main__", ("__main__",))],
    [Layer("toolchain", ("toolchain", *(path.stem for path in ROOT.joinpath("toolchain").glob("*.py"))))],
]

# What a layer may not import although it stands below.
FORBIDDEN = {
    "models": ["errors"],  # SQLAlchemy alone, so that any program can use them
    "lint": ["models", "catalog", "diagram", "documentation"],  # looks at SQL alone
    "findings": ["models", "modules", "catalog"],  # only shows what others found
    "diagram": ["models", "modules"],  # a structure in, a picture out
    "documentation": ["models", "modules"],  # a structure and places in, text out
    "schema files": ["resources", "settings", "connections"],  # a tool for people and CI, without Pulumi
    "check": ["resources", "connections"],  # a tool for people and CI, without Pulumi
    "cli": ["server", "resources", "settings", "connections"],  # starts quickly: each command has a package of its own
    "connections": ["settings", "resources", "server", "postgres"],  # values in, text out
    "__main__": ["stack", "declarations", "resources"],  # only says `run`
    "toolchain": [layer.name for rank in RANKS[:-1] for layer in rank],  # runs before anything is installed
}

# Imports for annotations only (`if TYPE_CHECKING:`) that go against the order, each with its reason.
FOR_ANNOTATIONS = {
    ("infra/resources/embedded_server.py", "infra.settings.model"): "its constructor takes the group of settings whole",
    ("infra/resources/external_server.py", "infra.settings.model"): "its constructor takes the group of settings whole",
    ("infra/resources/docker_plan.py", "infra.settings.model"): "its constructor takes the group of settings whole",
    ("infra/settings/loader.py", "pydantic_core"): "the type of pydantic's own error details",
}

TYPING = ["typing_extensions"]  # for annotations that Python 3.10 lacks

ONLY_IN = {
    "postgast": ["infra/modules/statements.py"],  # one file knows the parser
    "stamina": ["infra/postgres/connection/retry.py"],  # one file decides what is tried again
    "cryptography": ["infra/server/docker/certificates.py"],  # only stacks with TLS need it
    "grpc": ["infra/resources/console.py"],  # Pulumi's own transport: its SDK gives dynamic providers no way to speak
    "jinja2": ["infra/schema_docs/pages/page.py"],  # installed for development only
    "markupsafe": ["infra/schema_docs/pages/page.py"],
    "alembic": ["infra/check/second_opinion.py"],  # installed for development only
    "importlib": [  # wheels of servers are found by name, and whether Alembic is there; code never is
        "infra/server/embedded/distribution.py",
        "infra/check/second_opinion.py",
    ],
}

FILES = sorted(
    str(path.relative_to(ROOT))
    for path in [
        ROOT / "__main__.py",
        *(path for top in ("infra", "models", "toolchain") for path in (ROOT / top).rglob("*.py")),
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
    """Find the layer that a module of this project belongs to, and its height."""
    for rank, layers in enumerate(RANKS):
        for layer in layers:
            if any(fnmatchcase(module, pattern) or module.startswith(f"{pattern}.") for pattern in layer.modules):
                return rank, layer
    return None


def name_of(file: str) -> str:
    """Give a file's name as a module."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_excepted(file: str, imported: Import) -> bool:
    """Say whether an import is for annotations only, and one of those that may go against the order."""
    module = f"{imported.module}."
    return imported.for_annotations and any(
        file == where and module.startswith(f"{what}.") for where, what in FOR_ANNOTATIONS
    )


def objection(file: str, imported: Import) -> str:
    """Say what is wrong with an import in a file, '' when nothing is."""
    package = imported.module.partition(".")[0]
    here, there = rank_and_layer(name_of(file)), rank_and_layer(imported.module)
    if is_excepted(file, imported):
        return ""
    if here is None:
        return f"{file} belongs to no layer"
    height, layer = here
    if there is None:
        packages = {*sys.stdlib_module_names, *layer.packages, *(TYPING if imported.for_annotations else ())}
        allowed = imported.module == "infra" or (package in packages and file in ONLY_IN.get(package, [file]))
        return "" if allowed else f"{file} may not import {imported.module}"
    other_height, other = there
    if layer == other or (other_height < height and other.name not in FORBIDDEN.get(layer.name, [])):
        return ""
    return f"{file} imports {imported.module}, and {layer.name} may not import {other.name}"


def test_imports_go_one_way() -> None:
    """A file imports its own layer, what stands below it, and the packages that its layer is for."""
    found = [(file, one) for file in FILES for one in imports(ROOT.joinpath(file).read_text(encoding="utf-8"))]
    assert list(filter(None, (objection(file, one) for file, one in found))) == []


def test_every_file_is_read() -> None:
    """The files that are read are those that there are, and more than a few."""
    assert len(FILES) > 50
    assert {"__main__.py", "infra/errors.py", "infra/postgres/apply/runner.py", "toolchain/setup.py"} <= set(FILES)
    assert all(rank_and_layer(name_of(file)) for file in FILES if file != "infra/__init__.py")


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
    ("infra/modules/order.py", "models", True),
    ("infra/modules/order.py", "infra.catalog.catalog", False),
    ("infra/modules/order.py", "infra.postgres", False),
    ("infra/modules/order.py", "psycopg.sql", False),
    ("infra/modules/order.py", "pulumi", False),
    ("infra/modules/order.py", "postgast", False),
    ("infra/modules/statements.py", "postgast", True),
    ("infra/modules/order.py", "importlib", False),
    ("infra/modules/order.py", ".module", False),
    ("infra/catalog/diagram.py", "infra.modules", False),
    ("infra/catalog/diagram.py", "psycopg", False),
    ("infra/catalog/diagram.py", "sqlalchemy", False),
    ("infra/errors.py", "infra.modules", False),
    ("infra/errors.py", "re", True),
    ("infra/postgres/connection/advisory_lock.py", "infra.catalog", True),
    ("infra/postgres/connection/advisory_lock.py", "infra.server.embedded.file_lock", False),
    ("infra/postgres/connection/advisory_lock.py", "infra.settings.model", False),
    ("infra/postgres/connection/advisory_lock.py", "pulumi", False),
    ("infra/server/embedded/cluster.py", "infra.postgres.connection.target", True),
    ("infra/server/embedded/cluster.py", "pulumi", False),
    ("infra/server/embedded/cluster.py", "infra.resources.base", False),
    ("infra/resources/passwords.py", "infra.server.scram", True),
    ("infra/resources/passwords.py", "pulumi.dynamic", True),
    ("infra/resources/passwords.py", "pulumi_postgresql", False),
    ("infra/resources/passwords.py", "infra.declare_server", False),
    ("infra/resources/passwords.py", "infra.settings.model", False),
    ("infra/settings/loader.py", "infra.settings.model", True),
    ("infra/settings/loader.py", "pulumi", False),
    ("infra/settings/model.py", "pulumi", False),
    ("infra/settings/model.py", "infra.program.connections", False),
    ("infra/program/connections.py", "infra.settings.model", False),
    ("infra/program/database.py", "infra.declare_server", True),
    ("infra/program/database.py", "infra.program.stack", False),
    ("infra/program/stack.py", "infra.program.database", True),
    ("infra/program/stack.py", "infra.program.run", False),
    ("infra/program/stack.py", "psycopg", False),
    ("infra/program/run.py", "infra.program.stack", True),
    ("__main__.py", "infra.program.run", True),
    ("__main__.py", "infra.program.stack", False),
    ("infra/cli.py", "infra.postgres.introspection.reader", True),
    ("infra/cli.py", "infra.generate.from_models", True),
    ("infra/cli.py", "models", True),
    ("infra/cli.py", "infra.resources", False),
    ("infra/cli.py", "infra.program.stack", False),
    ("infra/cli.py", "infra.declare_server", False),
    ("infra/cli.py", "pulumi", False),
    ("infra/schema_docs/diagram/svg.py", "infra.catalog.structure", True),
    ("infra/schema_docs/diagram/svg.py", "infra.schema_docs.pages.page", False),
    ("infra/schema_docs/diagram/svg.py", "infra.postgres.introspection.reader", False),
    ("infra/schema_docs/diagram/svg.py", "models", False),
    ("infra/schema_docs/pages/page.py", "jinja2", True),
    ("infra/schema_docs/pages/page.py", "infra.schema_docs.diagram.colours", True),
    ("infra/schema_docs/pages/page.py", "infra.modules.module", False),
    ("infra/schema_docs/pages/contents.py", "jinja2", False),
    ("infra/schema_docs/files.py", "infra.check.checker", True),
    ("infra/schema_docs/files.py", "infra.schema_docs.pages.page", True),
    ("infra/schema_docs/files.py", "infra.resources", False),
    ("infra/schema_docs/files.py", "pulumi", False),
    ("infra/check/checker.py", "infra.schema_docs.files", False),
    ("infra/cli.py", "infra.schema_docs.files", True),
    ("infra/cli.py", "infra.check.checker", True),
    ("infra/cli.py", "infra.settings.model", False),
    ("infra/__main__.py", "infra.cli", True),
    ("infra/check/checker.py", "infra.server.embedded.distribution", True),
    ("infra/check/checker.py", "infra.findings.finding", True),
    ("infra/check/checker.py", "models", True),
    ("infra/check/stack_files.py", "infra.settings.model", True),
    ("infra/check/checker.py", "infra.resources", False),
    ("infra/check/checker.py", "infra.program.stack", False),
    ("infra/check/checker.py", "pulumi", False),
    ("infra/check/checker.py", "alembic", False),
    ("infra/check/second_opinion.py", "alembic.migration", True),
    ("infra/cli.py", "infra.lint.linter", True),
    ("infra/lint/linter.py", "infra.findings.finding", True),
    ("infra/lint/linter.py", "infra.modules.statements", True),
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
    """The order says of each pair what DESIGN.md says of it; what belongs to no layer may import nothing."""
    assert (objection(file, Import(module)) == "") is allowed


def test_an_import_for_annotations_is_an_import() -> None:
    """What is imported for annotations only goes the same way, but for the exceptions, which are used."""
    assert objection("infra/catalog/catalog.py", Import("psycopg", for_annotations=True))
    assert objection("infra/catalog/catalog.py", Import("typing_extensions"))
    assert not objection("infra/catalog/catalog.py", Import("typing_extensions", for_annotations=True))
    assert objection("infra/resources/embedded_server.py", Import("infra.settings.model.EmbeddedServer"))
    for file, module in FOR_ANNOTATIONS:
        found = imports(ROOT.joinpath(file).read_text(encoding="utf-8"))
        assert Import(module, for_annotations=True) in found, f"{file} has no need of its exception for {module}"


LONGER_FILES: dict[str, str] = {}  # path to reason: none


def test_files_are_short() -> None:
    """No file of the program passes 250 lines without a reason given here."""
    lengths = {file: len(ROOT.joinpath(file).read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {file for file, length in lengths.items() if length > LONGEST_FILE} == set(LONGER_FILES)


def test_every_test_says_in_a_sentence_what_is_so() -> None:
    """Each test has a docstring that is a sentence, or begins with one: together they are the specification."""
    for path in sorted(ROOT.joinpath("tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").split("\n\n")[0]
                assert len(sentence) > 1, f"{path.name}: {node.name}"
                assert sentence.endswith("."), f"{path.name}: {node.name}"
