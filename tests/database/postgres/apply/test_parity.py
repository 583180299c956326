"""What a preview says is what the run then does: random edits of a folder of modules, in both lifecycles."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.modules.decision import Lifecycle, Step
from infra.postgres.apply import runner
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.plan.plan import Plan
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

SEEDS = [seed if seed < 12 else pytest.param(seed, marks=pytest.mark.full) for seed in range(24)]
TITLES = "abcdef"


def table(title: str, width: int, refers_to: str = "") -> str:
    """Return a module's text: a table with so many columns and a row, perhaps a foreign key and a row of its table."""
    columns = "".join(f", c{number} integer" for number in range(width))
    text = f"CREATE TABLE {title} (id integer PRIMARY KEY{columns});\nINSERT INTO {title} VALUES (1);\n"
    if not refers_to:
        return text
    row = f"INSERT INTO {refers_to} VALUES ({ord(title)});\n"
    return text.replace(");", f", {refers_to}_id integer REFERENCES {refers_to});", 1) + row


def inserted(texts: list[tuple[str, str]]) -> dict[str, int]:
    """Return how many rows modules insert, by table."""
    return Counter(name for _, text in texts for name in re.findall(r"INSERT INTO (\w+)", text))


def counted(world: World, tables: Iterable[str]) -> dict[str, int]:
    """Return how many rows tables have."""
    return {name: world.sql(f"SELECT count(*) FROM {name}")[0][0] for name in tables}


def written(world: World, texts: list[tuple[str, str]]) -> None:
    """Make the folder contain these modules, given by title in their order, and nothing else."""
    for file in world.files.iterdir():
        file.unlink()
    for number, (title, text) in enumerate(texts, 1):
        (world.files / f"{number:02}-{title}.sql").write_text(text)


def edited(random: Random, texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the modules after one to three random edits of their statements, comments, names or order."""
    texts = list(texts)
    for _ in range(random.randint(1, 3)):
        number = random.randrange(len(texts))
        title, text = texts[number]
        edit = random.choice(["statements", "comment", "remove", "add", "move", "rename"])
        if edit == "statements":
            texts[number] = (title, table(title, random.randint(3, 5)))
        elif edit == "comment":
            texts[number] = (title, f"-- {random.random()}\n{text}")
        elif edit == "remove" and len(texts) > 1:
            del texts[number]
        elif edit == "add":
            new = f"new{random.randrange(1000)}"
            texts.insert(number, (new, table(new, 1)))
        elif edit == "move":
            texts.insert(random.randrange(len(texts)), texts.pop(number))
        elif edit == "rename":
            texts[number] = (f"{title}-renamed", text)
    return texts


def is_in_order(texts: list[tuple[str, str]]) -> bool:
    """Return whether a new database can be made from the modules: what a table refers to is made before it."""
    made: set[str] = set()
    for title, text in texts:
        if not made.issuperset(re.findall(r"REFERENCES (\w+)", text)):
            return False
        made.add(title.partition("-")[0])
    return True


def carried_out(world: World, before: set[str]) -> dict[str, Step]:
    """Do what Pulumi does in one process: look, run the modules with files in order, then retire the others."""
    world.new_process()
    look(world.session, recorded=True, explain=False)
    modules = world.modules()
    steps = {
        module.name: runner.apply(world.session, module, recorded=module.name in before).step for module in modules
    }
    for name in sorted(before - steps.keys(), reverse=True):
        runner.retire(world.session, name)
    return steps


def planned(world: World) -> Plan:
    """Return the plan of a preview in a process of its own."""
    world.new_process()
    looked = look(world.session, recorded=True, explain=True)
    assert isinstance(looked, PlanInProgress), looked
    return looked.plan


@pytest.mark.parametrize("lifecycle", list(Lifecycle), ids=lambda lifecycle: lifecycle.value)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_run_does_what_the_preview_says(world: World, seed: int, lifecycle: Lifecycle) -> None:
    """Each module's step, each refusal and all rows are the same; a second preview has nothing."""
    random = Random(seed)
    texts = [
        (title, table(title, 2, TITLES[number - 1] if number and random.random() < 0.3 else ""))
        for number, title in enumerate(TITLES)
    ]
    written(world, texts)
    world.set(lifecycle=lifecycle).up()
    before = set(world.ledger())
    rows = inserted(texts)
    texts = edited(random, texts)
    written(world, texts)
    plan = planned(world)
    fingerprint = world.fingerprint()
    if plan.refusals:
        with pytest.raises(InfraError):
            carried_out(world, before)
        assert world.fingerprint() == fingerprint
        assert counted(world, rows) == rows
        return
    try:
        done = carried_out(world, before)
    except InfraError as error:
        pytest.fail(f"the plan {[(step.module, step.step.value) for step in plan.steps]} was not carried out: {error}")
    assert done == {step.module: step.step for step in plan.steps}
    outcomes = world.ledger()
    removed = {step.module: step.step for step in plan.removed}
    assert {name for name, outcome in outcomes.items() if outcome == "orphaned"} == {
        name for name, step in removed.items() if step is Step.RETAIN
    }
    assert planned(world).is_unchanged
    if lifecycle is Lifecycle.EPHEMERAL and is_in_order(texts):
        assert world.equals_scratch()
        assert counted(world, inserted(texts)) == inserted(texts)
    elif lifecycle is Lifecycle.PERSISTENT:
        assert counted(world, rows) == rows
