"""A numbered SQL module in one database, as a resource: its text is an input, so that previews show it line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.modules.decide import Digests, Step, decide
from infra.modules.digest import text_digest
from infra.modules.module import Module
from infra.resources.boundary import DynamicResource, Properties, Provider, changed, plainly, refused, target_of

if TYPE_CHECKING:
    from infra.postgres.runner import Session

TARGET = ("host", "port", "database", "user", "password")
KEPT = (*TARGET, "owner", "stack", "module", "path", "text_digest", "statements_digest")


class SqlModuleProvider(Provider):
    """Brings a module to its database once; everything it decides is decided by `decide`."""

    @plainly
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a module that cannot be run, with file, line and column; add the digests and what they mean."""
        digest = text_digest(news["text"])
        if _olds.get("text_digest") == digest:
            return CheckResult({**news, "text_digest": digest, "statements_digest": _olds["statements_digest"]}, [])
        from infra.modules.acceptance import problems  # noqa: PLC0415 (the parser: only for new text)
        from infra.modules.statements import statements_digest  # noqa: PLC0415

        module = _module(news)
        found = problems(module)
        if found:
            return refused(news, [str(problem) for problem in found])
        digests = Digests(digest, statements_digest(module.text))
        inputs = {**news, "text_digest": digests.text, "statements_digest": digests.statements}
        if "text_digest" in _olds:
            decision = decide(digests, Digests(_olds["text_digest"], _olds["statements_digest"]))
            inputs["change"] = f"{decision.step.value}: {decision.why}"
        return CheckResult(inputs, [])

    @plainly
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the text did, or the way to the database."""
        return DiffResult(changes=bool(changed(_olds, _news, "text_digest", *TARGET)))

    @plainly
    def create(self, props: Properties) -> CreateResult:
        """Apply the module."""
        return CreateResult(f"{props['database']}/{props['module']}", _apply(props))

    @plainly
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Bring the new text to the database, or refuse."""
        return UpdateResult(_apply(_news))

    @plainly
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Say what the ledger says; a module that it does not hold is gone."""
        return ReadResult(id_, props)


def _module(props: Properties) -> Module:
    return Module(int(props["module"].partition("-")[0]), props["module"], props["path"], props["text"])


def _session(props: Properties) -> Session:
    from infra.postgres.runner import Session  # noqa: PLC0415 (the driver: only where a server is asked)

    return Session(
        target=target_of(props),
        owner=props["owner"],
        stack=props["stack"],
        lock_timeout=props["lock_timeout"],
        statement_timeout=props["statement_timeout"],
        wait=props["wait"],
    )


def _apply(props: Properties) -> Properties:
    from infra.postgres.runner import apply  # noqa: PLC0415 (the driver: only where a server is asked)

    digests = Digests(props["text_digest"], props["statements_digest"])
    applied = apply(_session(props), _module(props), digests)
    done = Step.UNCHANGED if applied.step is Step.REFORMATTED else applied.step
    return {name: props[name] for name in KEPT} | {"outcome": done.value}


class SqlModule(DynamicResource, module="postgres", name="SqlModule"):
    """One module in one database."""

    statements_digest: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        module: Module,
        *,
        session: dict[str, pulumi.Input[str | int | float]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **session,
            "module": module.name,
            "path": module.path,
            "text": module.text,
            "statements_digest": None,
        }
        super().__init__(SqlModuleProvider, name, props, opts)
