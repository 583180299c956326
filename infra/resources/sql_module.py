"""A numbered SQL module in one database, as a resource; its text is in SchemaPlan, once for all databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.digests import text_digest
from infra.resources.base import OWN_URN, DynamicResource, Properties, changed, is_known, without
from infra.resources.module_provider import ModuleProvider, module_of

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.resources.actions import sql_module as actions
else:
    actions = LazyModule("infra.resources.actions.sql_module")

NO_DRIFT = "none"
_STORED = ("database", "lifecycle", "session", "module", "path", "text_digest", "statements_digest", "plan", OWN_URN)
_COMPARED = ("text_digest", "database", "lifecycle", "session_digest")

_sessions: dict[str, str] = {}
"""The sessions that `check` received in this process, by their digests."""


class SqlModuleProvider(ModuleProvider):
    """Brings a module to its database; what is to be done is decided by `decide`, and done by the runner.

    The session is most of what the state has of a module, so only the outputs have it: for a removal, which knows
    nothing else. The inputs have its digest, and this process has what belongs to that, since `check` comes first.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Check what modules share, and store the session's digest and the program's name in the session's place."""
        checked = super().check(_olds, news)
        if checked.failures:
            return checked
        digest = program = session = news["session"]  # unknown in the preview of a new server, as what follows from it
        if is_known(session):
            digest, program = text_digest(session), json.loads(session)["stack"]
            _sessions[digest] = session
        return CheckResult({**without(checked.inputs, "session"), "session_digest": digest, "program": program}, [])

    def planned(self, olds: Properties, inputs: Properties, *, explain: bool) -> Properties:
        """Return the step in the database with its reason and the drift, and the digest of its plan."""
        return actions.planned(inputs, recorded=bool(olds), explain=explain)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the text differs, the connection, or the database itself.

        A refresh compares with the inputs of the last run, whose plan was carried out.
        """
        olds = {**_olds, "session_digest": text_digest(_olds["session"])}
        differs = changed(olds, _news, *_COMPARED)
        drifted = _news.get("plan") not in {None, _olds.get("plan")} or _olds.get("drift", NO_DRIFT) != NO_DRIFT
        return DiffResult(changes=bool(differs) or drifted)

    def create(self, props: Properties) -> CreateResult:
        """Apply the module, or adopt what is there."""
        news = _with_session(props)
        outcome = actions.apply_module(news, module_of(news), recorded=False)
        return CreateResult(f"{props['database']}/{props['module']}", _stored(news, outcome))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Apply the new text, or refuse; an earlier drift must be gone."""
        news = _with_session(_news)
        outcome = actions.apply_module(news, module_of(news), recorded=True)
        return UpdateResult(_stored(news, outcome))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Compare the module's objects with the live catalog; a module that the ledger does not hold is gone."""
        drift = actions.read_drift(props)
        return ReadResult("", {}) if drift is None else ReadResult(id_, {**props, "drift": drift or NO_DRIFT})

    def delete(self, _id: str, _props: Properties) -> None:
        """Retain the module's objects or drop them, as the lifecycle says, and report which."""
        own = None if OWN_URN in _props else self.lifecycle  # a component has its lifecycle from its program
        actions.retire_removed({**_props, "lifecycle": own or _props["lifecycle"]})


def _with_session(props: Properties) -> Properties:
    return {**props, "session": _sessions[props["session_digest"]]} if "session_digest" in props else props


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
        # Pulumi takes an output for secret where the input of its name is, and the session is no input of the state
        secret = pulumi.ResourceOptions(additional_secret_outputs=["session"])
        super().__init__(SqlModuleProvider, name, props, pulumi.ResourceOptions.merge(opts, secret))
