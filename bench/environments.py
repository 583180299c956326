"""An environment on a server that is there, from nothing to its connection strings, beside an empty program's `up`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

from bench.beside import empty_program
from bench.checkout import Checkout
from bench.rounds import Costs, cost_of, minimum_seconds
from bench.table import Row, comparison_row, limit_row, time_text

if TYPE_CHECKING:
    from pathlib import Path

    from bench.rounds import Cost

UP_SECONDS = 2.5
TEMPLATE = "pr"


def measure(folder: Path, rounds: int) -> list[Row]:
    """Return the rows of environments of two databases with the eight modules, each made and removed in each round."""
    empty = empty_program(folder / "empty")
    checkout = Checkout(folder / "checkout", folder / "root", ["beside"])
    checkout.up()
    try:
        _write_template(checkout)
        _environment(checkout, "up", "first")
        costs: Costs = {"empty": [], "up": [], "again": [], "down": []}
        for _ in range(rounds):
            costs["empty"].append(empty.up())
            costs["up"].append(_environment(checkout, "up", "pr-1"))
            costs["again"].append(_environment(checkout, "up", "pr-1"))
            costs["down"].append(_environment(checkout, "down", "pr-1"))
        _environment(checkout, "down", "first")
    finally:
        checkout.run_verb("destroy")
    return [
        Row("up of an empty program", time_text(costs["empty"])),
        comparison_row("env up, two new databases on a server that runs", costs["up"], "empty up", costs["empty"]),
        limit_row("the same", minimum_seconds(costs["up"]), "s", UP_SECONDS),
        comparison_row("env up again, without changes", costs["again"], "empty up", costs["empty"]),
        comparison_row("env down", costs["down"], "empty up", costs["empty"]),
    ]


def _write_template(checkout: Checkout) -> None:
    """Write the template of environments on the server of the checkout's own stack."""
    server = checkout.administrator()
    settings = {
        "lifecycle": "ephemeral",
        "server": {
            "kind": "external",
            "dsn": f"host={server.host} port={server.port} user={server.user} dbname={server.database}",
            "password_variable": "ADMIN_PASSWORD",
        },
    }
    text = yaml.safe_dump({"config": {f"platform-postgres:{name}": value for name, value in settings.items()}})
    (checkout.folder / f"Pulumi.{TEMPLATE}.yaml").write_text(text)
    checkout.env["ADMIN_PASSWORD"] = server.password


def _environment(checkout: Checkout, verb: str, name: str) -> Cost:
    """Run `env up` or `env down`, and return the cost; raises RuntimeError with its output when it fails."""
    further = ["--json", "--show-secrets"] if verb == "up" else []
    command = [sys.executable, "-m", "infra", "env", verb, name, *further]

    def run() -> None:
        done = subprocess.run(
            command, cwd=checkout.folder, env=checkout.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    return cost_of(run)
