"""The plan for all databases of a stack, as its last resource: a preview prints it, and a saved plan pins it.

It has the texts of the modules, so that a preview shows their changed lines once, however many databases there are. Its
input `plan` is a digest over what the plans were made of (files, ledger, live catalog): Pulumi refuses an `up` with a
saved plan where any of them changed in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.digests import text_digest
from infra.resources.base import OWN_URN, DynamicResource, Properties, Provider, is_known, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.resources.actions import schema_plan as actions
else:
    actions = LazyModule("infra.resources.actions.schema_plan")

LONGEST_TEXT = 1_048_576
"""Characters of a module's text that the state keeps; a longer text is cut, with a line that says so."""

_STORED = ("stack", "lifecycle", "directory", "databases", "texts", "look")


class SchemaPlanProvider(Provider):
    """Prints the plan in a preview, and refuses there what a run would refuse."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the digest of the plans that this process made; in a preview, which has the sessions, print them."""
        inputs = {name: news[name] for name in (*_STORED, OWN_URN) if name in news}
        if "sessions" in news:
            known = {name: session for name, session in news["sessions"].items() if is_known(session)}
            kept, given_up = news["adopted"], news["given_up"]
            problems = actions.show(_olds, inputs, known, strict=news.get("strict"), adopted=kept, given_up=given_up)
            if problems:
                return refused(inputs, problems)
        return CheckResult({**inputs, "plan": actions.digest() if news["look"] else ""}, [])

    def create(self, props: Properties) -> CreateResult:
        """Store the texts; the modules' resources carry the plan out."""
        return CreateResult("schema-plan", _digests(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a text differs, or a module was added or removed."""
        return DiffResult(changes=_digests(_news) != {"digests": _olds.get("digests")})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the new texts."""
        return UpdateResult(_digests(_news))


def _digests(props: Properties) -> Properties:
    return {"digests": {name: text_digest(text) for name, text in props["texts"].items()}}


class SchemaPlan(DynamicResource, module="postgres", name="SchemaPlan"):
    """The plan for a stack's databases, given their sessions by name; it comes after what it is about."""

    def __init__(
        self,
        name: str,
        *,
        stack: str,
        lifecycle: str,
        modules: Sequence[Module],
        sessions: Mapping[str, pulumi.Output[str]],
        look: bool,
        strict: bool | None,
        adopted: Sequence[str],
        given_up: Sequence[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        props: Properties = {
            "stack": stack,
            "lifecycle": lifecycle,
            "directory": modules[0].path.rpartition("/")[0],
            "databases": list(sessions),
            "texts": {module.name: shortened(module.text) for module in modules},
            "look": look,
            "plan": None,
            "digests": None,
        }
        if pulumi.runtime.is_dry_run():
            props |= {
                "sessions": dict(sessions),
                "strict": strict,
                "adopted": list(adopted),
                "given_up": list(given_up),
            }
        super().__init__(SchemaPlanProvider, name, props, opts)


def shortened(text: str) -> str:
    """Return a text as the state keeps it."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n-- … {len(text)} characters in all\n"
