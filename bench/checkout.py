"""A copy of this project with a stack of its own, and the ways into its server."""

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
class Ways:
    """Two ways into one database."""

    admin: Target
    migrator: Target
    owner: str


class Checkout(Program):
    """The project, with these databases and the modules of `sql/` or those given by name of file."""

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
        """Put these modules in the place of those that are there."""
        shutil.rmtree(self.folder / "sql")
        (self.folder / "sql").mkdir()
        for name, text in modules.items():
            (self.folder / "sql" / name).write_text(text)

    def ways(self, database: str) -> Ways:
        """Give the ways into a declared database, of its admin and its migrator."""
        resources = {str(one["urn"]).rpartition("::")[2]: one["outputs"] for one in self.exported() if "outputs" in one}
        host, port = str(resources["server"]["host"]), int(resources["server"]["listen_port"])

        def way(name: str, user: str) -> Target:
            passwords = json.loads(resources[name]["passwords"]["plaintext"])
            return Target(host, port, database, user, str(passwords[user]))

        migrator = way(f"{database}-passwords", f"{database}_migrator")
        return Ways(way("admin-password", "postgres"), migrator, f"{database}_owner")

    def psql(self) -> str:
        """Give the path of the server's own psql."""
        return str(json.loads(self.pulumi("stack", "output", "--json"))["psql"])

    def log(self) -> str:
        """Give what the server has logged so far."""
        return (self.folder / json.loads(self.pulumi("stack", "output", "--json"))["log_file"]).read_text()
