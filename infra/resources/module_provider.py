"""What the providers of modules share: a text that may be run, its digests, and the stack's lifecycle."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi.dynamic import CheckResult, ConfigureRequest

from infra.errors import ModuleFileError
from infra.lazy_module import LazyModule
from infra.modules.digests import text_digest
from infra.modules.module import Module, decode, load_modules
from infra.resources.base import Properties, Provider, is_known, refused, without

if TYPE_CHECKING:
    from infra.modules import restrictions, statements
else:
    restrictions = LazyModule("infra.modules.restrictions")
    statements = LazyModule("infra.modules.statements")

AGAIN = " again"
"""What tells a plan from the same one of the last run, which a refresh passes to `diff` as it is stored."""


class ModuleProvider(Provider):
    """Brings a module to databases; what is to be done is decided by `decide`, and done by the runner."""

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
            module = module_of(news)
            if restrictions.find_restricted(module):
                return refused(news, _problems_of_all(module))
            inputs["statements_digest"] = statements.statements_digest(module.text)
        inputs |= former_stack(_olds, news)
        if news["look"] and is_known(news["session"]):
            inputs |= self.planned(_olds, inputs, explain=bool(news.get("explain")))
        return CheckResult(told_from_last(_olds, inputs), [])

    @abstractmethod
    def planned(self, olds: Properties, inputs: Properties, *, explain: bool) -> Properties:
        """Return the inputs `plan` and `drift` of a module with which a run does something, {} for nothing."""


def told_from_last(olds: Properties, inputs: Properties) -> Properties:
    """Return inputs whose plan is not the one of the last run, also where a restore brought the same situation back."""
    is_same = "plan" in inputs and inputs["plan"] == olds.get("plan")
    return {**inputs, "plan": inputs["plan"] + AGAIN} if is_same else inputs


def former_stack(olds: Properties, news: Properties) -> Properties:
    """Return the input `formerly` with the stack's former name where it has another one now: the state proves it."""
    if not olds or not is_known(news["session"]) or news["session"] == olds.get("session"):
        return {}
    former = olds.get("program") or json.loads(olds["session"])["stack"]
    return {"formerly": former} if former != json.loads(news["session"])["stack"] else {}


def module_of(props: Properties) -> Module:
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
