"""The command `python -m infra import`: writes the modules of a dump or a database, and proves that nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.backup.programs import client_programs, run_client
from infra.errors import InfraError
from infra.postgres.introspection.reader import LEDGER_SCHEMA, read_catalog
from infra.server.dsn import connect_dsn, parse_dsn
from infra.server.scratch.scratch_server import readable_driver_errors, scratch_server
from infra.sql_import.declarative import require_new_models, undeclared
from infra.sql_import.dump import read_dump
from infra.sql_import.proof import proved_modules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import Catalog

_MOST_SHOWN = 20


def import_sql(source: str, into: Path, *, models: Path | None = None, bin_dir: Path | None = None) -> list[str]:
    """Write modules of a file of SQL or of a database that `source` names, and return lines that say what was done.

    With `models`, a file of Python with models of the tables is written too, and what they do not declare is named.
    Nothing is written where the modules do not create the same schema. Raises InfraError.
    """
    if models:
        require_new_models(models)
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
    shown = Path(source).name if is_file else "a database"
    with scratch_server(None) as server:
        imported = proved_modules(server, dump, live, source=shown, into=into, with_models=bool(models))
        lacking = undeclared(server, imported.models, imported.catalog, imported.extensions) if models else []
    files = imported.files
    _write({into / name: content for name, content in files.items()} | ({models: imported.models} if models else {}))
    what = "the database" if live else source
    more = [f"and {len(lacking) - _MOST_SHOWN} more"] if len(lacking) > _MOST_SHOWN else []
    return [
        *(f"{into / name}: written" for name in files),
        *([f"{models}: written"] if models else []),
        *(f"left out: {kind} ({count})" for kind, count in sorted(dump.left_out.items())),
        *([f"imported: what {source} leads to: it drops or replaces what it creates"] if imported.is_history else []),
        *lacking[:_MOST_SHOWN],
        *more,
        f"proved: the {len(files)} modules create the same schema as {what}",
    ]


def _write(files: Mapping[Path, str]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


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
