"""After a connection was lost anywhere, a module is applied or not applied, and the ledger says which."""

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

pytestmark = pytest.mark.full

pytest_plugins = ["tests.database.scratch_server"]

SQL = Path(__file__).parents[4] / "sql"
MODULES = load_modules(SQL, shown_as="sql")
END = "SELECT pg_terminate_backend(pg_backend_pid());\n"
TABLE = "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (1);\n"


def through(world: World, proxy: Proxy) -> World:
    """Set the proxy as the runner's target, and return the world."""
    return world.set(target=replace(world.session.target, host="127.0.0.1", port=proxy.port))


def socket_of(world: World) -> str:
    return f"{world.session.admin.host}/.s.PGSQL.{world.session.admin.port}"


@pytest.mark.parametrize(
    ("when", "step"), [("before", Step.APPLY), ("within", Step.APPLY), ("after", Step.UNCHANGED), ("never", Step.APPLY)]
)
def test_a_connection_lost_around_commit(world: World, when: str, step: Step) -> None:
    """Before and within COMMIT nothing is kept and the module runs again; after it, the ledger has its row."""
    world.write(m01_a=TABLE)
    with Proxy(socket_of(world), when=when, word=b"COMMIT\0", first=b"INTO sqlmodule.ledger") as proxy:
        assert through(world, proxy).up() == [step]
        assert proxy.cuts == (when != "never")
        pool.close_all(world.session.target.database)
    world.set(target=replace(world.session.admin, user="world_migrator"))
    assert [message.startswith("try 2 for at most ") for message in world.messages] == [True] * proxy.cuts
    assert world.sql("SELECT * FROM a") == [(1,)]
    assert world.ledger() == {"01-a": "applied"}
    assert world.sql("SELECT count(*) FROM sqlmodule.event") == [(1,)]


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_connection_lost_around_the_module(world: World, when: str) -> None:
    """A module whose text or whose answer did not arrive is rolled back and runs again."""
    world.write(m01_a=TABLE)
    with Proxy(socket_of(world), when=when, word=b"CREATE TABLE a ") as proxy:
        assert through(world, proxy).up() == [Step.APPLY]
        assert proxy.cuts == 1
        pool.close_all(world.session.target.database)
    assert len(world.messages) == 1
    assert world.sql("SELECT * FROM a") == [(1,)]
    assert world.sql("SELECT count(*) FROM sqlmodule.event") == [(1,)]


def test_an_unreachable_server_is_one_sentence(world: World) -> None:
    """When no server answers, each attempt is reported, and the error is one sentence."""
    world.write(m01_a=TABLE)
    world.set(wait=1, target=replace(world.session.target, host="127.0.0.1", port=1))
    with pytest.raises(InfraError) as caught:
        world.up()
    assert str(caught.value).startswith(f"{world.place}: cannot be reached, or the connection to it was lost (")
    assert str(caught.value).endswith("; check that the server runs, then run again")
    assert "\n" not in str(caught.value)
    assert world.messages


def cut_short(module: Module) -> Iterator[Module]:
    """Yield the module with its session ended after each statement in turn, also before the first one."""
    text = module.text
    for position in (0, *(statement.end for statement in parse(text, module.path))):
        yield replace(module, text=f"{text[:position]};{END}{text[position:]}")


class Pair:
    """Two databases with the same modules applied; in the first one after interrupted attempts."""

    def __init__(self, make: Callable[[], World], folder: Path) -> None:
        self.make = make
        self.folder = folder
        self.worlds: tuple[World, World] | None = None

    def before(self, module: Module) -> tuple[World, World]:
        """Return both with the modules before this one applied; new ones if they are past it."""
        if self.worlds is None or module.name in self.worlds[0].ledger():
            self.worlds = self.make(), self.make()
        for world in self.worlds:
            applied = world.ledger()
            for earlier in MODULES[: module.number - 1]:
                if earlier.name not in applied:
                    assert world.apply(suitable(earlier)) is Step.APPLY
        return self.worlds


def suitable(module: Module) -> Module:
    return replace(
        module, text=module.text.replace('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', "")
    )  # the server lacks it


@pytest.fixture(scope="module")
def pair(lasting_worlds: Callable[[Path], World], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Return two databases that are used by the tests of all modules."""
    files = tmp_path_factory.mktemp("lost") / "sql"
    files.mkdir()
    for module in map(suitable, MODULES):
        (files / f"{module.name}.sql").write_text(module.text, encoding="utf-8")
    return Pair(lambda: lasting_worlds(files), files.parent)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_backend_terminated_at_every_statement(pair: Pair, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a module's session ends, nothing of it is left, and the next run applies it completely."""
    monkeypatch.chdir(pair.folder)
    world, undisturbed = pair.before(module)
    module = suitable(module)
    before = world.fingerprint()
    world.set(wait=0.01)
    for broken in cut_short(module):
        with pytest.raises(InfraError):
            world.apply(broken)
    assert module.name not in world.ledger()
    assert world.fingerprint() == before
    assert world.set(wait=10).apply(module) is Step.APPLY
    assert undisturbed.apply(module) is Step.APPLY
    assert world.fingerprint() == undisturbed.fingerprint()
