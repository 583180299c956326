"""A numbered SQL module in one database, as a resource: its text is an input, so that previews show it line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError, ModuleFileError
from infra.modules.decision import Digests, Lifecycle, ModuleState, Step, change_between, decide
from infra.modules.digests import text_digest
from infra.modules.module import Module, decode
from infra.resources.base import (
    DynamicResource,
    Properties,
    Provider,
    changed,
    is_known,
    readable_errors,
    refused,
    target_of,
    without_dependencies,
)

if TYPE_CHECKING:
    from infra.postgres.connection.session import Session

NONE = "none"
_SHARED = ("database", "lifecycle", "session")
KEPT = (*_SHARED, "module", "path", "text_digest", "statements_digest")
_lifecycles: dict[str, str] = {}
"""The lifecycle that this run gives each database: a module that is gone has only that of the run before."""

LONGEST_TEXT = 65_536
FIRST_LINES = 20


class SqlModuleProvider(Provider):
    """Brings a module to its database; what is to be done is decided by `decide`, and done by the runner."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a module that cannot be run, or may not; say what a run would do with it and what is not as it was."""
        looking = bool(news.pop("look", False))
        _lifecycles[news["database"]] = news["lifecycle"]
        inputs = {**news, "drift": NONE}
        if _olds.get("text_digest") == news["text_digest"]:
            inputs["statements_digest"] = _olds["statements_digest"]
        else:
            from infra.modules.restrictions import find_restricted  # noqa: PLC0415 (the parser: only for new text)
            from infra.modules.statements import statements_digest  # noqa: PLC0415

            module = _module(news)
            found = find_restricted(module)
            if found:
                return refused(news, [str(problem) for problem in found])
            inputs["statements_digest"] = statements_digest(module.text)
            if _olds:
                inputs["change"] = _by_file(_digests(_olds), _digests(inputs), news["lifecycle"])
        return _foreseen(news, inputs) if looking and is_known(news["session"]) else _passed(inputs)

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the text did, the way to the database, or the database itself."""
        differs = changed(_olds, _news, "text_digest", *_SHARED)
        drifted = _news["drift"] != NONE or _olds.get("drift", NONE) != NONE
        return DiffResult(changes=bool(differs) or drifted or "change" in _news)

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Apply the module, or adopt what is there."""
        return CreateResult(f"{props['database']}/{props['module']}", _apply(props, looking=False))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Bring the new text to the database, or refuse; an earlier drift must be gone."""
        looking = _olds.get("drift", NONE) != NONE or "change" in _news
        return UpdateResult(_apply(_news, looking=looking))

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Compare the module's objects with the live catalog; a module that the ledger does not hold is gone."""
        from infra.postgres.apply.preview import detect_drift  # noqa: PLC0415 (the driver: only where a server is asked)

        drift = detect_drift(_session(props), props["module"])
        return ReadResult("", {}) if drift is None else ReadResult(id_, {**props, "drift": drift or NONE})

    @readable_errors
    def delete(self, _id: str, _props: Properties) -> None:
        """Let the objects stay or go, as the lifecycle says, and say which."""
        from infra.postgres.apply.runner import retire  # noqa: PLC0415 (the driver: only where a server is asked)

        session = _session({**_props, "lifecycle": _lifecycles.get(_props["database"], _props["lifecycle"])})
        session.tell(f"{_props['module']} was removed: {retire(session, _props['module'])}")


def _passed(inputs: Properties) -> CheckResult:
    return CheckResult(inputs, [])


def _digests(properties: Properties) -> Digests:
    return Digests(properties["text_digest"], properties["statements_digest"])


def _by_file(before: Digests, after: Digests, lifecycle: str) -> str:
    """Say what a changed file means, without a look at the database."""
    decision = decide(ModuleState.APPLIED, change_between(after, before), Lifecycle(lifecycle))
    return f"{decision.step.value}: {decision.why}"


def _foreseen(news: Properties, inputs: Properties) -> CheckResult:
    """Add what the database says: the step, the losses, the drift; or refuse."""
    from infra.postgres.apply.preview import preview  # noqa: PLC0415 (the driver: only where a server is asked)

    try:
        seen = preview(_session(news), _module(news), _digests(inputs))
    except InfraError as error:
        return refused(news, [str(error)])
    if seen.refused:
        return refused(news, [seen.refused])
    if seen.change:
        inputs["change"] = seen.change
    return _passed({**inputs, "drift": seen.drift or NONE})


def _module(props: Properties) -> Module:
    """Give the module; a text that is too long for the state is read from its file, which must be the one meant."""
    name, path, text = props["module"], props["path"], props["text"]
    if text_digest(text) != props["text_digest"]:
        text = decode(Path(path).read_bytes(), path)
        if text_digest(text) != props["text_digest"]:
            raise ModuleFileError("was changed while it was being run", place=path, remedy="run again")
    return Module(int(name.partition("-")[0]), name, path, text)


def _session(props: Properties) -> Session:
    from infra.postgres.connection.session import Session  # noqa: PLC0415 (the driver: only where a server is asked)
    from infra.resources.console import logger  # noqa: PLC0415

    known: Properties = json.loads(props["session"])
    migrator, admin = known["migrator"], known["admin"]
    return Session(
        target=target_of(known, migrator["user"], migrator["password"]),
        admin=target_of(known, admin["user"], admin["password"]),
        owner=known["owner"],
        stack=known["stack"],
        lifecycle=Lifecycle(props["lifecycle"]),
        directory=known["directory"],
        allowed=tuple(known["allowed"]),
        lock_timeout=known["lock_timeout"],
        statement_timeout=known["statement_timeout"],
        wait=known["wait"],
        tell=logger(known["stack"], "SqlModule", f"{props['database']}-{props['module']}"),
    )


def _apply(props: Properties, *, looking: bool) -> Properties:
    from infra.postgres.apply.runner import apply  # noqa: PLC0415 (the driver: only where a server is asked)

    applied = apply(_session(props), _module(props), _digests(props), looking=looking)
    outcome = Step.UNCHANGED if applied.step is Step.REFORMATTED else applied.step
    return {name: props[name] for name in KEPT if name in props} | {"outcome": outcome.value, "drift": NONE}


class SqlModule(DynamicResource, module="postgres", name="SqlModule"):
    """One module in one database.

    `session` is a secret text with what all modules of the database share, from `session_of`: one property instead of
    twenty, which Pulumi would send, compare and store for each module. With `look` a preview compares the database.
    """

    if TYPE_CHECKING:  # the SDK looks for such types anew for each resource, of which there are most of this kind
        statements_digest: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        module: Module,
        *,
        database: str,
        lifecycle: str,
        session: pulumi.Output[str],
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        digest = text_digest(module.text)
        props: Properties = {
            "database": database,
            "lifecycle": lifecycle,
            "session": session,
            "module": module.name,
            "path": module.path,
            "text": text_for_state(module.text),
            "text_digest": digest,
            "statements_digest": None,
        }
        if pulumi.runtime.is_dry_run() and look:
            props["look"] = True
        super().__init__(SqlModuleProvider, name, props, opts)


def session_of(shared: Properties) -> pulumi.Output[str]:
    """Give the session of a database: its address, `admin` and `migrator` with user and password, and the limits."""
    return without_dependencies(pulumi.Output.secret(pulumi.Output.json_dumps(shared)))


def text_for_state(text: str) -> str:
    """Give the text that is kept in the state and shown in previews: of a very long one the beginning."""
    if len(text) <= LONGEST_TEXT:
        return text
    first = "\n".join(line[: LONGEST_TEXT // FIRST_LINES] for line in text.splitlines()[:FIRST_LINES])
    return f"{first}\n-- … {len(text)} characters in all\n"
