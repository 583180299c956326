"""The table that decides what is done with a module; previews and runs use it, and docs/lifecycle.md shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Lifecycle(str, Enum):
    """Whether a stack's data may be dropped and built again (ephemeral), or never (persistent)."""

    EPHEMERAL = "ephemeral"
    PERSISTENT = "persistent"


class ModuleState(str, Enum):
    """The state of a module in the ledger and the live database; each value completes the phrase `the database …`."""

    FOREIGN = "has the ledger of another stack, server or database"
    FRESH = "has no row for it and none of its objects"
    PRESENT = "has no row for it, but all of its objects, exactly"
    CONFLICTING = "has no row for it, but some of its objects, or other ones of their names"
    APPLIED = "has its row, and its objects as it left them"
    DRIFTED = "has its row, but some of its objects are changed or gone"
    VANISHED = "has its row, but none of its objects"
    ORPHANED = "has its row from when its file was removed, and its objects"


class Change(str, Enum):
    """How the file differs from what was applied; each value completes the phrase `the file …`."""

    NEW = "was never applied"
    SAME = "is what was applied"
    REFORMATTED = "differs in comments, white space or letter case only"
    CHANGED = "has other statements"


class Step(str, Enum):
    """One planned act for one module in one database."""

    APPLY = "apply"
    UNCHANGED = "unchanged"
    REFORMATTED = "reformatted"
    ADOPT = "adopt"
    REBUILD = "rebuild"
    VERIFY = "verify"
    RETAIN = "retain"
    DROP = "drop"
    REFUSE = "refuse"


MEANING = {
    Step.APPLY: "run it in one transaction and write its row",
    Step.UNCHANGED: "nothing",
    Step.REFORMATTED: "write the new digests, run nothing",
    Step.ADOPT: "write its row, run nothing: every object was compared with what it makes on a scratch database",
    Step.REBUILD: "drop what it and the later modules own, in reverse, and run it; the later ones follow",
    Step.VERIFY: "compare with what it makes on a scratch database: write its row when all is equal, else refuse",
    Step.RETAIN: "its file was removed: its objects stay, and the ledger marks it as orphaned",
    Step.DROP: "its file was removed: drop what it owns, before other modules run",
    Step.REFUSE: "change nothing and say why",
}


@dataclass(frozen=True)
class Digests:
    """The two digests of a module: of its text as it is, and of its statements."""

    text: str
    statements: str


@dataclass(frozen=True)
class Decision:
    """A step and the reason for it, with a remedy if it is or may become a refusal; both texts are for people."""

    step: Step
    why: str
    remedy: str = ""


_OTHER = "the database belongs to somebody else"
_USE_OWN = "use the stack that it belongs to, or another database; `make accept DB=…` takes over a copy or a dump"
_GUESS = "objects of its names are there and differ from what it makes"
_MIGRATE = 'write the difference as a revision (`make revision M="…"`), or take the change back'
_DRIFT = "somebody changed what it made"
_UNDO = "take those changes back in the database, or bring them into the modules"
_GONE = "what it made is gone from the database"
_RESTORE = "restore the database; to make the objects anew, empty, delete the module's row from sqlmodule.ledger"
_RESTORE_OR_MIGRATE = 'restore the database, or write the difference as a revision (`make revision M="…"`)'

_E, _P = Lifecycle.EPHEMERAL, Lifecycle.PERSISTENT
_BOTH = (_E, _P)

DECISIONS: tuple[tuple[ModuleState, tuple[Change, ...], tuple[Lifecycle, ...], Decision], ...] = (
    (ModuleState.FOREIGN, tuple(Change), _BOTH, Decision(Step.REFUSE, _OTHER, _USE_OWN)),
    (ModuleState.FRESH, (Change.NEW,), _BOTH, Decision(Step.APPLY, "not yet applied to this database")),
    (ModuleState.PRESENT, (Change.NEW,), _BOTH, Decision(Step.ADOPT, "all that it makes is there, exactly")),
    (ModuleState.CONFLICTING, (Change.NEW,), _BOTH, Decision(Step.REFUSE, _GUESS, _MIGRATE)),
    (ModuleState.APPLIED, (Change.SAME,), _BOTH, Decision(Step.UNCHANGED, "applied as it is")),
    (
        ModuleState.APPLIED,
        (Change.REFORMATTED,),
        _BOTH,
        Decision(Step.REFORMATTED, "only comments, white space or letter case differ: harmless, nothing runs"),
    ),
    (ModuleState.APPLIED, (Change.CHANGED,), (_E,), Decision(Step.REBUILD, "its statements changed")),
    (ModuleState.APPLIED, (Change.CHANGED,), (_P,), Decision(Step.VERIFY, "its statements changed", _MIGRATE)),
    (ModuleState.DRIFTED, (Change.SAME, Change.REFORMATTED), _BOTH, Decision(Step.REFUSE, _DRIFT, _UNDO)),
    (ModuleState.DRIFTED, (Change.CHANGED,), (_E,), Decision(Step.REBUILD, "its statements changed")),
    (
        ModuleState.DRIFTED,
        (Change.CHANGED,),
        (_P,),
        Decision(Step.VERIFY, "its statements changed, and so did the database", _MIGRATE),
    ),
    (ModuleState.VANISHED, (Change.SAME, Change.REFORMATTED, Change.CHANGED), (_E,), Decision(Step.REBUILD, _GONE)),
    (ModuleState.VANISHED, (Change.SAME, Change.REFORMATTED), (_P,), Decision(Step.REFUSE, _GONE, _RESTORE)),
    (
        ModuleState.VANISHED,
        (Change.CHANGED,),
        (_P,),
        Decision(Step.VERIFY, f"its statements changed, and {_GONE}", _RESTORE_OR_MIGRATE),
    ),
    (
        ModuleState.ORPHANED,
        (Change.SAME, Change.REFORMATTED),
        _BOTH,
        Decision(Step.ADOPT, "its file is back, and its objects never left"),
    ),
    (ModuleState.ORPHANED, (Change.CHANGED,), (_E,), Decision(Step.REBUILD, "its file is back with other statements")),
    (
        ModuleState.ORPHANED,
        (Change.CHANGED,),
        (_P,),
        Decision(Step.VERIFY, "its file is back with other statements", _MIGRATE),
    ),
)

TABLE: dict[tuple[ModuleState, Change, Lifecycle], Decision] = {
    (state, change, lifecycle): decision
    for state, changes, lifecycles, decision in DECISIONS
    for change in changes
    for lifecycle in lifecycles
}


def decide(state: ModuleState, change: Change, lifecycle: Lifecycle) -> Decision:
    """Return the decision for a module; raises KeyError for a combination that cannot occur."""
    return TABLE[state, change, lifecycle]


def as_markdown() -> str:
    """Return the table as docs/lifecycle.md shows it."""
    lines = ["| the database … | the file … | ephemeral | persistent |", "| --- | --- | --- | --- |"]
    for state in ModuleState:
        for change in Change:
            cells = [TABLE.get((state, change, lifecycle)) for lifecycle in Lifecycle]
            if any(cells):
                steps = " | ".join(f"**{cell.step.value}**" if cell else "-" for cell in cells)
                lines.append(f"| {state.value} | {change.value} | {steps} |")
    return "\n".join(lines) + "\n"
