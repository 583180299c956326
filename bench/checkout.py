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
        databases: Sequence[object],
        *,
        modules: Mapping[str, str] | None = None,
        server: Mapping[str, object] | None = None,
        extensions: Sequence[str] | None = None,
        settings: Mapping[str, object] | None = None,
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
        values: dict[str, Any] = {
            "server": {"kind": "embedded", "data_root": str(data_root), "settings": dict(server or {})},
            "databases": list(databases),
            **(settings or {}),
        }
        if extensions is not None:
            values["extensions"] = list(extensions)
        (folder / f"Pulumi.{STACK}.yaml").write_text(
            yaml.safe_dump({"config": {f"platform-postgres:{name}": value for name, value in values.items()}})
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
        migrator = self._login(f"{database}-passwords", f"{database}_migrator")
        return DatabaseAccess(self.administrator().on(database), migrator.on(database), f"{database}_owner")

    def administrator(self) -> Target:
        """Return the administrator's connection, read from the stack's state."""
        return self._login("admin-password", "postgres")

    def _login(self, passwords: str, user: str) -> Target:
        """Return the connection of a user whose password is in a resource of this name."""
        outputs = {
            str(resource["urn"]).rpartition("::")[2]: resource["outputs"]
            for resource in self.resources()
            if "outputs" in resource
        }
        host, port = str(outputs["server"]["host"]), int(outputs["server"]["listen_port"])
        password = json.loads(outputs[passwords]["passwords"]["plaintext"])[user]
        return Target(host, port, "postgres", user, str(password))

    def psql(self) -> str:
        """Return the path of the server's own psql."""
        return str(json.loads(self.pulumi("stack", "output", "--json"))["psql"])

    def log(self) -> str:
        """Return the server's log so far."""
        return (self.folder / json.loads(self.pulumi("stack", "output", "--json"))["log_file"]).read_text()
