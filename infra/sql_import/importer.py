"""The command `python -m infra import`: writes the modules of a dump or a database, and proves that nothing is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from infra.backup.programs import client_programs, run_client
from infra.catalog.catalog import ACCESS, NOTES, Catalog
from infra.catalog.difference import differences
from infra.check.in_modules import extensions_of
from infra.check.proofs import run_modules
from infra.errors import InfraError
from infra.modules.module import load_modules
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection.connect import connect
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import LEDGER_SCHEMA, read_catalog
from infra.server.dsn import connect_dsn, parse_dsn
from infra.server.scratch.scratch_server import readable_driver_errors, scratch_server
from infra.sql_import.dump import read_dump
from infra.sql_import.modules import module_texts

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.server.scratch.scratch_server import ScratchServer
    from infra.sql_import.dump import Dump

_MOST_SHOWN = 20


def import_sql(source: str, into: Path, *, bin_dir: Path | None = None) -> list[str]:
    """Write modules of a file of SQL or of a database that `source` names, and return lines that say what was done.

    Nothing is written where the modules do not create the same schema. Raises InfraError.
    """
    if into.exists() and any(into.iterdir()):
        raise InfraError("is not empty", place=str(into), remedy="name a new folder by --into")
    is_file = Path(source).is_file()
    if not is_file and "=" not in source and "://" not in source:
        raise InfraError("no such file", place=source, remedy="name a file of SQL, or a connection string")
    with readable_driver_errors():
        text, live = (_read(Path(source)), None) if is_file else _dump(source, bin_dir)
    dump = read_dump(text, source if is_file else "pg_dump")
    if not dump.statements:
        raise InfraError("has no statement that a module can have", place=source if is_file else "the database")
    files = module_texts(dump.statements, source=Path(source).name if is_file else "a database")
    with tempfile.TemporaryDirectory(prefix="platform-postgres-import-") as folder:
        for name, content in files.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        modules = load_modules(Path(folder), shown_as=str(into))
        with scratch_server(None) as server:
            _prove(server, modules, dump, live)
        into.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (into / name).write_text(content, encoding="utf-8")
    what = "the database" if live else source
    return [
        *(f"{into / name}: written" for name in files),
        *(f"left out: {kind} ({count})" for kind, count in sorted(dump.left_out.items())),
        f"proved: the {len(files)} modules create the same schema as {what}",
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError(f"cannot be read ({error})", place=str(path), remedy="name a file of SQL in UTF-8") from None


def _dump(dsn: str, bin_dir: Path | None) -> tuple[str, Catalog]:
    """Return the dump of a database without rows, owners and privileges, and its catalog; it is only read."""
    target = parse_dsn(dsn)
    with connect_dsn(target) as connection:
        connection.execute("SET default_transaction_read_only = on")
        catalog = read_catalog(connection)
        major = connection.info.server_version // 10_000
    options = ["--schema-only", "--no-owner", "--no-privileges", f"--exclude-schema={LEDGER_SCHEMA}"]
    return run_client(client_programs(major, bin_dir) / "pg_dump", target, options), catalog


def _prove(server: ScratchServer, modules: list[Module], dump: Dump, live: Catalog | None) -> None:
    """Run the modules, and compare what they create with the database, or with what the whole text creates."""
    extensions = server.extensions_for_administrators(extensions_of(modules))
    with server.database(extensions) as scratch:
        run = run_modules(scratch, modules, roll_back_first=False)
    if not run.complete:
        finding = run.findings[-1]
        raise InfraError(
            f"the module would not run: {finding.message}",
            place=str(finding.place),
            remedy=f"correct {modules[0].path}",
        )
    expected = live
    if expected is None:
        with server.database(extensions) as scratch, connect(scratch.target, autocommit=True) as connection:
            simple_query(connection, dump.comparable)
            with connect(scratch.target, autocommit=True) as reading:
                expected = catalog_with_real_names(scratch, read_catalog(reading))
    found = differences(_compared(expected), _compared(run.catalog))
    if found:
        shown = [f"  {difference}" for difference in found[:_MOST_SHOWN]]
        count = f"{len(found)} differences" if len(found) > 1 else "1 difference"
        raise InfraError(
            "\n".join([f"the modules would not create the same schema: {count}; nothing was written", *shown]),
            place="import",
        )


def _compared(catalog: Catalog) -> Catalog:
    """Return a catalog without owners, privileges and versions of extensions, which are not a dump's."""
    left_out = (*ACCESS, *NOTES)
    return Catalog({identity: text for identity, text in catalog.objects.items() if identity.kind not in left_out})
