"""What all dynamic providers share: how they are stored, and how an error leaves them as one readable text."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, Resource, ResourceProvider
from pulumi.dynamic.dynamic import (
    PROVIDER_KEY,
    serialize_provider,  # pyright: ignore[reportUnknownVariableType]
)
from pulumi.output import Unknown
from pulumi.resource import DependencyResource

from infra.errors import InfraError
from infra.resources.watchdog import watch_the_engine
from infra.sdk_tuning import freeze_loaded_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.postgres.connection.target import Target

Properties = dict[str, Any]
Verb = TypeVar("Verb", bound="Callable[..., Any]")


class Failure(Exception):  # noqa: N818 (the name is shown to people by newer versions of Pulumi)
    """What Pulumi shows of an error: its text, without a traceback and without this module's name."""

    __module__ = "builtins"


class Provider(ResourceProvider):
    """A provider that is stored by reference, not as a secret, and that shows no traceback."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 (Pulumi's signature)
        """Keep Pulumi from printing source lines with an error; end when it is killed."""
        sys.tracebacklimit = 0
        freeze_loaded_objects()
        watch_the_engine()


class DynamicResource(Resource):
    """A dynamic resource whose provider is pickled once for each class: Pulumi's own constructor does it every time."""

    def __init__(
        self, provider: type[Provider], name: str, properties: Properties, opts: pulumi.ResourceOptions | None
    ) -> None:
        given = {**properties, PROVIDER_KEY: _stored(provider)}
        super(Resource, self).__init__(f"pulumi-python:{self._resource_type_name}", name, given, opts)


def depends_only_on(resource: pulumi.Resource) -> pulumi.Output[pulumi.Resource]:
    """Give what `depends_on` takes to put something after a resource, without all that this one comes after itself.

    For every dependency the SDK looks for a circle through everything behind it, by recursion: in a chain that costs
    the square of its length, and a chain of a thousand ends the program.
    """
    return pulumi.Output(set(), _stand_in(resource), _known())


async def _stand_in(resource: pulumi.Resource) -> pulumi.Resource:
    urn = await resource.urn.future()
    return DependencyResource(cast("str", urn))


async def _known() -> bool:
    return True


def without_dependencies(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """Give an output that does not name the resources it comes from, for resources that are put after these anyway.

    Pulumi stores such names with every property of every resource, and looks for circles through each.
    """
    return pulumi.Output(set(), output.future(with_unknowns=True), output.is_known(), output.is_secret())


@functools.cache
def _stored(provider: type[Provider]) -> str:
    return serialize_provider(provider())


def readable_errors(verb: Verb) -> Verb:
    """Turn this program's errors and the driver's into a Failure; anything else is a defect and is named as one."""

    @functools.wraps(verb)
    def speaking(*arguments: Any) -> Any:  # noqa: ANN401 (any verb)
        try:
            return verb(*arguments)
        except InfraError as error:
            raise Failure(str(error)) from None
        except Exception as error:  # noqa: BLE001 (the one place where exceptions become text)
            raise Failure(_unforeseen(error)) from None

    return cast("Verb", speaking)


def _unforeseen(error: Exception) -> str:
    kind = type(error).__name__
    if type(error).__module__.startswith("psycopg"):
        return str(error).strip() or kind
    return f"a defect of platform-postgres: {kind}: {error}; please report it"


def is_known(value: object) -> bool:
    """Say whether a value holds nothing that a preview does not know yet."""
    if isinstance(value, dict):
        return all(is_known(part) for part in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return all(is_known(part) for part in cast("list[object]", value))
    return not isinstance(value, Unknown)


def changed(olds: Properties, news: Properties, *names: str) -> list[str]:
    """Name the properties that are known to differ; what a preview does not know yet counts as the same."""
    return [name for name in names if is_known(news.get(name)) and olds.get(name) != news.get(name)]


def refused(news: Properties, problems: list[str]) -> CheckResult:
    """Fail a check; the failures hang on no property, because Pulumi prints the value of the one they hang on."""
    return CheckResult(news, [CheckFailure("", problem) for problem in problems])


def target_of(properties: Properties, user: str, password: str) -> Target:
    """Give the database that a resource's properties name, for a user; Pulumi's numbers are floats."""
    from infra.postgres.connection.target import Target  # noqa: PLC0415 (the driver is imported only where it is used)

    host, port, database = str(properties["host"]), int(properties["port"]), str(properties["database"])
    return Target(host, port, database, user, password, properties.get("options") or {})
