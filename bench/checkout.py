"""A copy of this project with a stack of its own, and the addresses of its databases."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from bench.program import ROOT, STACK, Program
from infra.postgres.connection.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PARTS = ("Pulumi.yaml", "__main__.py", "infra", "sql", "requirements.txt")


@dataclass(frozen=True)
class DatabaseAccess:
    """The connections to one database as the administrator and as its migrator, and the role that owns it."""

    admin: Target
    migrator: Target
    owner: str


class Checkout(Program):
    """A copy of the project with these databases, and with the modules of `sql/` or others, given by file name."""

    def __init__(
        self,
        folder: Path,
        data_root: Path,
        databases: Sequence[str],
        *,
        modules: Mapping[str, str] | None = None,
        server: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(folder)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, folder / part)
        if modules is not None:
            self.write_modules(modules)
        settings: dict[str, Any] = {
            "server": {"kind": "embedded", "data_root": str(data_root), "settings": dict(server or {})},
            "databases": list(databases),
        }
        (folder / f"Pulumi.{STACK}.yaml").write_text(
            yaml.safe_dump({"config": {f"platform-postgres:{name}": value for name, value in settings.items()}})
        )
        self.make_stack()

    def write_modules(self, modules: Mapping[str, str]) -> None:
        """Replace all modules by these."""
        shutil.rmtree(self.folder / "sql")
        (self.folder / "sql").mkdir()
        for name, text in modules.items():
            (self.folder / "sql" / name).write_text(text)

    def access(self, database: str) -> DatabaseAccess:
        """Return the connections to a declared database, read from the stack's state."""
        resources = {
            str(resource["urn"]).rpartition("::")[2]: resource["outputs"]
            for resource in self.resources()
            if "outputs" in resource
        }
        host, port = str(resources["server"]["host"]), int(resources["server"]["listen_port"])

        def target(name: str, user: str) -> Target:
            passwords = json.loads(resources[name]["passwords"]["plaintext"])
            return Target(host, port, database, user, str(passwords[user]))

        migrator = target(f"{database}-passwords", f"{database}_migrator")
        return DatabaseAccess(target("admin-password", "postgres"), migrator, f"{database}_owner")

    def psql(self) -> str:
        """Return the path of the server's own psql."""
        return str(json.loads(self.pulumi("stack", "output", "--json"))["psql"])

    def log(self) -> str:
        """Return the server's log so far."""
        return (self.folder / json.loads(self.pulumi("stack", "output", "--json"))["log_file"]).read_text()
