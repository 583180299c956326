"""A numbered SQL module in one database, as a resource; its text is in SchemaPlan, once for all databases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, ConfigureRequest, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import ModuleFileError
from infra.modules.digests import text_digest
from infra.modules.module import Module, decode, load_modules
from infra.resources.base import (
    OWN_URN,
    DynamicResource,
    LazyModule,
    Properties,
    Provider,
    changed,
    is_known,
    refused,
    without,
)

if TYPE_CHECKING:
    from infra.modules import restrictions, statements
    from infra.resources.actions import sql_module as actions
else:
    restrictions = LazyModule("infra.modules.restrictions")
    statements = LazyModule("infra.modules.statements")
    actions = LazyModule("infra.resources.actions.sql_module")

NO_DRIFT = "none"
_SHARED = ("database", "lifecycle", "session")
_STORED = (*_SHARED, "module", "path", "text_digest", "statements_digest", "plan", OWN_URN)


class SqlModuleProvider(Provider):
    """Brings a module to its database; what is to be done is decided by `decide`, and done by the runner."""

    lifecycle: str | None = None
    """The lifecycle in the stack's configuration: the inputs of a removed module have that of the last run."""

    def configure(self, req: ConfigureRequest) -> None:
        """Read the stack's lifecycle, which Pulumi passes to dynamic providers with the whole configuration."""
        super().configure(req)
        self.lifecycle = req.config.get("lifecycle")

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a module that cannot be run, or may not; report one that was applied and is to be touched again.

        Previews and runs look at the database alike, and the digest of its plan is an input of what is to be done: so
        Pulumi refuses a saved plan before anything is done that it did not foresee. SchemaPlan prints the plan.
        """
        inputs = without(news, "look", "explain", "formerly")
        if _olds.get("text_digest") == news["text_digest"]:
            inputs["statements_digest"] = _olds["statements_digest"]
        else:
            module = _module(news)
            if restrictions.find_restricted(module):
                return refused(news, _problems_of_all(module))
            inputs["statements_digest"] = statements.statements_digest(module.text)
        if _olds and news["session"] != _olds["session"] and is_known(news["session"]):
            inputs["formerly"] = actions.stack_of(_olds)  # the state proves what the stack was called
        if news["look"] and is_known(news["session"]):
            inputs |= actions.planned(inputs, recorded=bool(_olds), explain=bool(news.get("explain")))
        return CheckResult(inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the text differs, the connection, or the database itself.

        A refresh compares with the inputs of the last run, whose plan was carried out.
        """
        differs = changed(_olds, _news, "text_digest", *_SHARED)
        drifted = _news.get("plan") not in {None, _olds.get("plan")} or _olds.get("drift", NO_DRIFT) != NO_DRIFT
        return DiffResult(changes=bool(differs) or drifted)

    def create(self, props: Properties) -> CreateResult:
        """Apply the module, or adopt what is there."""
        outcome = actions.apply_module(props, _module(props), recorded=False)
        return CreateResult(f"{props['database']}/{props['module']}", _stored(props, outcome))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Apply the new text, or refuse; an earlier drift must be gone."""
        outcome = actions.apply_module(_news, _module(_news), recorded=True)
        return UpdateResult(_stored(_news, outcome))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Compare the module's objects with the live catalog; a module that the ledger does not hold is gone."""
        drift = actions.read_drift(props)
        return ReadResult("", {}) if drift is None else ReadResult(id_, {**props, "drift": drift or NO_DRIFT})

    def delete(self, _id: str, _props: Properties) -> None:
        """Retain the module's objects or drop them, as the lifecycle says, and report which."""
        own = None if OWN_URN in _props else self.lifecycle  # a component has its lifecycle from its program
        actions.retire_removed({**_props, "lifecycle": own or _props["lifecycle"]})


def _module(props: Properties) -> Module:
    """Return the module with the text of its file; raises ModuleFileError where that is not the text of the digest."""
    name, path = props["module"], props["path"]
    try:
        text = decode(Path(path).read_bytes(), path)
    except OSError as error:
        raise ModuleFileError(f"cannot be read ({error.strerror})", place=path, remedy="put it back") from None
    if text_digest(text) != props["text_digest"]:
        raise ModuleFileError("was changed while it was being run", place=path, remedy="run again")
    return Module(int(name.partition("-")[0]), name, path, text)


def _problems_of_all(module: Module) -> list[str]:
    """Return what is wrong with all modules of a module's folder: the engine stops at the first failed check."""
    folder = Path(module.path).parent
    return [
        str(problem)
        for existing in load_modules(folder, shown_as=str(folder))
        for problem in restrictions.find_restricted(existing)
    ]


def _stored(props: Properties, outcome: str) -> Properties:
    """Return what the state keeps: not the text, which the inputs have."""
    return {name: props[name] for name in _STORED if name in props} | {"outcome": outcome, "drift": NO_DRIFT}


class SqlModule(DynamicResource, module="postgres", name="SqlModule"):
    """One module in one database; its file is read where it is run.

    `session` is a secret text with what all modules of the database share, from `session_of`: one property instead of
    twenty, which Pulumi would send, compare and store for each module. With `look` the database is compared.
    """

    if TYPE_CHECKING:  # the SDK resolves such annotations again for each resource, and most resources are of this type
        statements_digest: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        module: Module,
        *,
        database: pulumi.Input[str],
        lifecycle: str,
        session: pulumi.Output[str],
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "database": database,
            "lifecycle": lifecycle,
            "session": session,
            "module": module.name,
            "path": module.path,
            "text_digest": text_digest(module.text),
            "statements_digest": None,
            "look": look,
        }
        if pulumi.runtime.is_dry_run():
            props["explain"] = True
        super().__init__(SqlModuleProvider, name, props, opts)


def session_of(shared: Properties) -> pulumi.Output[str]:
    """Return the session of a database as JSON: its address, `admin` and `migrator` with user and password, limits."""
    return pulumi.Output.secret(pulumi.Output.json_dumps(shared))
