"""An environment on a server that is there, from nothing to its connection strings, beside an empty program's `up`."""

from __future__ import annotations

import subprocess
import sys
from os import sysconf
from pathlib import Path

import yaml

from bench.beside import empty_program
from bench.checkout import Checkout
from bench.generated import TABLES, generated_modules
from bench.rounds import Cost, Costs, cost_of, minimum_seconds, run_alternating
from bench.table import Row, comparison_row, limit_row, time_text
from infra.postgres.connection.connect import connect
from infra.postgres.groups.clones_of_templates import CLONED

UP_SECONDS = 2.5
TEMPLATE, PLAIN = "pr", "plain"
MODULES = 75
ONE: list[dict[str, str]] = [{}]
_PROCESSOR_FIELDS = slice(13, 17)  # of its own and of the children that ended (proc(5))


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


def measure_clones(folder: Path, rounds: int) -> list[Row]:
    """Return the rows of environments of one database with 375 tables, made by modules and as clones, in turn.

    Both are on one server; the template's extensions are those of one of the two only.
    """
    checkout = Checkout(folder / "checkout", folder / "root", ["beside"], modules=generated_modules(MODULES))
    checkout.up()
    try:
        _write_template(checkout, databases=ONE, extensions=["pgcrypto"])
        _write_template(checkout, PLAIN, databases=ONE, extensions=["pg_trgm"])
        template = cost_of(lambda: _run(checkout, "template"))
        server = _Postmaster(folder / "root")
        names: list[str] = []

        def made(template: str) -> Cost:
            names.append(f"{template}-{len(names)}")
            with server:
                cost = _environment(checkout, "up", names[-1], f"--template={template}")
            steps = _steps(checkout, f"platform_postgres_{names[-1].replace('-', '_')}")
            if steps != [CLONED if template == TEMPLATE else "apply"]:
                raise RuntimeError(f"{names[-1]} was made by {steps}")
            return cost

        variants = {PLAIN: lambda: made(PLAIN), TEMPLATE: lambda: made(TEMPLATE)}
        costs = run_alternating(variants, rounds)
        spent = {
            template: [server.spent[names.index(name)] for name in names if name.startswith(template)]
            for template in variants
        }
        for name in names:  # only now: files are made slowly for a minute after others were removed
            _environment(checkout, "down", name)
        _run(checkout, "template", "--drop")
    finally:
        checkout.run_verb("destroy")
    tables = MODULES * TABLES
    return [
        Row(f"env template, {tables} tables", time_text([template])),
        Row(f"env up, {tables} tables, by their modules", time_text(costs[PLAIN])),
        comparison_row(f"env up, {tables} tables, a clone", costs[TEMPLATE], "modules", costs[PLAIN]),
        comparison_row("processor time of the server for the clone", spent[TEMPLATE], "modules", spent[PLAIN]),
    ]


def _steps(checkout: Checkout, database: str) -> list[str]:
    """Return the steps by which the modules of a database got there."""
    with connect(checkout.administrator().on(database)) as connection:
        rows = connection.execute("SELECT DISTINCT step FROM sqlmodule.event WHERE stack NOT LIKE '%template%'")
        return sorted(str(step) for (step,) in rows)


class _Postmaster:
    """The processor seconds that the server below a folder and its sessions spend in each `with` block."""

    def __init__(self, data_root: Path) -> None:
        (pid_file,) = data_root.glob("*/data/postmaster.pid")
        self._stat = Path("/proc") / pid_file.read_text().splitlines()[0] / "stat"
        self.spent: list[Cost] = []

    def __enter__(self) -> None:
        self._before = self._seconds()

    def __exit__(self, *_: object) -> None:
        self.spent.append(Cost(self._seconds() - self._before))

    def _seconds(self) -> float:
        fields = self._stat.read_text().split()[_PROCESSOR_FIELDS]
        return sum(map(int, fields)) / sysconf("SC_CLK_TCK")


def _write_template(checkout: Checkout, template: str = TEMPLATE, **further: object) -> None:
    """Write a template of environments on the server of the checkout's own stack."""
    server = checkout.administrator()
    settings = {
        "lifecycle": "ephemeral",
        "server": {
            "kind": "external",
            "dsn": f"host={server.host} port={server.port} user={server.user} dbname={server.database}",
            "password_variable": "ADMIN_PASSWORD",
        },
        **further,
    }
    text = yaml.safe_dump({"config": {f"platform-postgres:{name}": value for name, value in settings.items()}})
    (checkout.folder / f"Pulumi.{template}.yaml").write_text(text)
    checkout.env["ADMIN_PASSWORD"] = server.password


def _environment(checkout: Checkout, verb: str, name: str, *arguments: str) -> Cost:
    """Run `env up` or `env down`, and return the cost; raises RuntimeError with its output when it fails."""
    further = ["--json", "--show-secrets"] if verb == "up" else []
    return cost_of(lambda: _run(checkout, verb, name, *arguments, *further))


def _run(checkout: Checkout, *arguments: str) -> None:
    command = [sys.executable, "-m", "infra", "env", *arguments]
    done = subprocess.run(command, cwd=checkout.folder, env=checkout.env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
