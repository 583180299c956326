"""A connection lost anywhere leaves a module applied or not applied, and the ledger knows which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.modules.decision import Step
from infra.modules.module import Module, load_modules
from infra.modules.statements import parse
from infra.postgres.connection import pool
from tests.database.postgres.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

SQL = Path(__file__).parents[4] / "sql"
MODULES = load_modules(SQL, shown_as="sql")
END = "SELECT pg_terminate_backend(pg_backend_pid());\n"
TABLE = "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (1);\n"


def through(world: World, proxy: Proxy) -> World:
    """Let the runner connect by way of the proxy."""
    return world.set(target=replace(world.session.target, host="127.0.0.1", port=proxy.port))


def socket_of(world: World) -> str:
    return f"{world.session.admin.host}/.s.PGSQL.{world.session.admin.port}"


@pytest.mark.parametrize(
    ("when", "step"), [("before", Step.APPLY), ("within", Step.APPLY), ("after", Step.UNCHANGED), ("never", Step.APPLY)]
)
def test_a_connection_lost_around_commit(world: World, when: str, step: Step) -> None:
    """Before and within COMMIT nothing is kept and it is done again; after it, the ledger knows that all is done."""
    world.write(m01_a=TABLE)
    with Proxy(socket_of(world), when=when, word=b"COMMIT\0", first=b"INTO sqlmodule.ledger") as proxy:
        assert through(world, proxy).up() == [step]
        assert proxy.cuts == (when != "never")
        pool.close_all(world.session.target.database)
    world.set(target=replace(world.session.admin, user="world_migrator"))
    assert [told.startswith("try 2 for at most ") for told in world.told] == [True] * proxy.cuts
    assert world.sql("SELECT * FROM a") == [(1,)]
    assert world.ledger() == {"01-a": "applied"}
    assert world.sql("SELECT count(*) FROM sqlmodule.event") == [(1,)]


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_connection_lost_around_the_module(world: World, when: str) -> None:
    """A module whose text did not arrive, or whose answer did not, is undone and done again."""
    world.write(m01_a=TABLE)
    with Proxy(socket_of(world), when=when, word=b"CREATE TABLE a ") as proxy:
        assert through(world, proxy).up() == [Step.APPLY]
        assert proxy.cuts == 1
        pool.close_all(world.session.target.database)
    assert len(world.told) == 1
    assert world.sql("SELECT * FROM a") == [(1,)]
    assert world.sql("SELECT count(*) FROM sqlmodule.event") == [(1,)]


def test_a_server_that_is_away_is_one_sentence(world: World) -> None:
    """Where nobody answers the tries are told, and then it is said in a sentence."""
    world.write(m01_a=TABLE)
    world.set(wait=1, target=replace(world.session.target, host="127.0.0.1", port=1))
    with pytest.raises(InfraError) as caught:
        world.up()
    assert str(caught.value).startswith(f"{world.place}: cannot be reached, or the connection to it was lost (")
    assert str(caught.value).endswith("; see that the server runs, then run again")
    assert "\n" not in str(caught.value)
    assert world.told


def cut_short(module: Module) -> Iterator[Module]:
    """Give the module ended after each of its statements in turn, before the first and after the last included."""
    text = module.text
    for place in (0, *(one.end for one in parse(text, module.path))):
        yield replace(module, text=f"{text[:place]};{END}{text[place:]}")


class Pair:
    """Two databases with the same modules applied; in one of them they were disturbed first."""

    def __init__(self, make: Callable[[], World]) -> None:
        self.make = make
        self.worlds: tuple[World, World] | None = None

    def before(self, module: Module) -> tuple[World, World]:
        """Give them with the modules before this one applied, made anew where they are past it."""
        if self.worlds is None or module.name in self.worlds[0].ledger():
            self.worlds = self.make(), self.make()
        for world in self.worlds:
            there = world.ledger()
            for one in MODULES[: module.number - 1]:
                if one.name not in there:
                    assert world.apply(suitable(one), looking=False) is Step.APPLY
        return self.worlds


def suitable(module: Module) -> Module:
    return replace(module, text=module.text.replace('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', ""))  # not here


@pytest.fixture(scope="module")
def pair(lasting_worlds: Callable[[Path], World], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Give two databases that last from one module's test to the next one's."""
    files = tmp_path_factory.mktemp("lost") / "sql"
    files.mkdir()
    for one in map(suitable, MODULES):
        (files / f"{one.name}.sql").write_text(one.text, encoding="utf-8")
    return Pair(lambda: lasting_worlds(files))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_backend_terminated_at_every_statement(pair: Pair, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a module's session ends, nothing of it is left, and the next run makes what an undisturbed one makes."""
    world, undisturbed = pair.before(module)
    monkeypatch.chdir(world.files.parent)
    module = suitable(module)
    before = world.fingerprint()
    world.set(wait=0.01)
    for broken in cut_short(module):
        with pytest.raises(InfraError):
            world.apply(broken, looking=False)
    assert module.name not in world.ledger()
    assert world.fingerprint() == before
    assert world.set(wait=10).apply(module) is Step.APPLY
    assert undisturbed.apply(module) is Step.APPLY
    assert world.fingerprint() == undisturbed.fingerprint()
