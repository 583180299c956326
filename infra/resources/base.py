"""What all dynamic resources share: how their providers are stored, loaded lazily, and how an error leaves them."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, ReadResult, Resource, ResourceProvider
from pulumi.output import Unknown

from infra.errors import ClosedError, InfraError, system_error_text
from infra.postgres.connection.target import Target
from infra.resources.engine_watchdog import watch_engine
from infra.sdk_tuning import freeze_loaded_objects, show_errors_as_they_are, with_stored_provider

if TYPE_CHECKING:
    from collections.abc import Callable

Properties = dict[str, Any]
Verb = TypeVar("Verb", bound="Callable[..., Any]")

OWN_URN = "own_urn"
"""The property with the URN of a resource in a component: its provider is not told, and messages need it."""

CLOSED = "55000"
"""The SQLSTATE of a database that lets nobody in (PostgreSQL manual, ALTER DATABASE … ALLOW_CONNECTIONS)."""

VERBS = ("diff", "create", "update", "delete")


class Failure(Exception):  # noqa: N818 (the name is shown to people by newer versions of Pulumi)
    """What Pulumi shows of an error: its text, without a traceback and without this module's name."""

    __module__ = "builtins"


class Provider(ResourceProvider):
    """A provider that is stored by reference, not as a secret, and whose verbs raise readable errors.

    What a subclass's `check` refuses by an InfraError becomes a failed check.
    """

    serialize_as_secret_always = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for verb in VERBS:
            if verb in vars(cls):
                setattr(cls, verb, readable_errors(vars(cls)[verb]))
        if "read" in vars(cls):
            cls.read = readable_errors(_failing_once(vars(cls)["read"]))
        if "check" in vars(cls):
            cls.check = readable_errors(_refusing(cls.check))

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 (Pulumi's signature)
        """Prepare the host of the providers: errors without source lines and gRPC's words, an end with Pulumi's."""
        sys.tracebacklimit = 0
        freeze_loaded_objects()
        show_errors_as_they_are()
        watch_engine()


class DynamicResource(Resource):
    """A dynamic resource whose provider is pickled once for each class.

    Each stands for one physical thing, which cannot exist twice: a replacement deletes it before it creates it again.
    Pulumi's default order would delete what the replacement had just created.
    """

    def __init__(
        self, provider: type[Provider], name: str, properties: Properties, opts: pulumi.ResourceOptions | None
    ) -> None:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
        if opts.parent is not None:  # else its URN follows from its name (infra/resources/console.py)
            properties = {**properties, OWN_URN: _urn(f"pulumi-python:{self._resource_type_name}", name, opts.parent)}
        stored = with_stored_provider(provider, properties)
        if stored is None:
            super().__init__(provider(), name, properties, opts)
        else:  # what Pulumi's constructor does, but for the pickling
            super(Resource, self).__init__(f"pulumi-python:{self._resource_type_name}", name, stored, opts)


def _urn(kind: str, name: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return the URN of a child, without a dependency on the parent: that is expanded to all children, a circle."""

    async def urn_of_parent() -> str:
        return str(await parent.urn.future())

    return pulumi.create_urn(name, kind, pulumi.Output.from_input(urn_of_parent()))


def readable_errors(verb: Verb) -> Verb:
    """Return a verb that raises errors as Failure: this program's and the driver's as their text, others as defects."""

    @functools.wraps(verb)
    def readable(*arguments: Any) -> Any:  # noqa: ANN401 (any verb)
        try:
            return verb(*arguments)
        except Exception as error:  # noqa: BLE001 (the one place where exceptions become text)
            raise Failure(text_of(error)) from None

    return cast("Verb", readable)


def _refusing(check: Verb) -> Verb:
    """Return a `check` that reports an InfraError as a failed check, which a preview shows at the resource."""

    @functools.wraps(check)
    def refusing(provider: Provider, olds: Properties, news: Properties) -> CheckResult:
        try:
            return check(provider, olds, news)
        except InfraError as error:
            return refused(news, [str(error)])

    return cast("Verb", refusing)


_reported: set[str] = set()
"""The errors of this process' reads."""


def _failing_once(read: Verb) -> Verb:
    """Return a `read` that leaves the state as it is where that is not known and somebody else says why.

    That is where a database lets nobody in, which DatabaseAccess reports, and where another resource's read has failed
    with the same error: a database that cannot be read is one error, and not one for each of its modules.
    """

    @functools.wraps(read)
    def reading(provider: Provider, id_: str, props: Properties) -> ReadResult:
        try:
            return read(provider, id_, props)
        except Exception as error:
            if isinstance(error, ClosedError) or (_is_drivers(error) and getattr(error, "sqlstate", "") == CLOSED):
                return ReadResult(id_, props)
            if isinstance(error, InfraError):
                if str(error) in _reported:
                    return ReadResult(id_, props)
                _reported.add(str(error))
            raise

    return cast("Verb", reading)


def _is_drivers(error: Exception) -> bool:
    return type(error).__module__.startswith("psycopg")


def text_of(error: Exception) -> str:
    """Return what is shown of an error."""
    if isinstance(error, InfraError):
        return str(error)
    if isinstance(error, OSError):
        return system_error_text(error)
    kind = type(error).__name__
    if _is_drivers(error):
        return str(error).strip() or kind
    return f"a defect of platform-postgres: {kind}: {error}; please report it"


def refused(news: Properties, problems: list[str]) -> CheckResult:
    """Return a failed check; its failures name no property, because Pulumi prints the value of the one they name."""
    return CheckResult(news, [CheckFailure("", problem) for problem in problems])


def is_known(value: object) -> bool:
    """Return whether a value holds nothing that a preview does not know yet."""
    if isinstance(value, dict):
        return all(is_known(part) for part in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return all(is_known(part) for part in cast("list[object]", value))
    return not isinstance(value, Unknown)


def changed(olds: Properties, news: Properties, *names: str) -> list[str]:
    """Return the names of properties that are known to differ; what a preview does not know yet counts as equal."""
    return [name for name in names if is_known(news.get(name)) and olds.get(name) != news.get(name)]


def without(properties: Properties, *names: str) -> Properties:
    """Return properties without some: what an input says to one run alone is no part of the state."""
    return {name: value for name, value in properties.items() if name not in names}


def login_password(olds: Properties, news: Properties) -> str:
    """Return the administrator's password with which a server can be entered before this run: the last run's.

    As an input it is known to a preview, where a new password is not; the postgresql plugin is configured with it, and
    could not compare anything without. Of a new server it is the one that it gets.
    """
    return olds["password"] if olds else news["password"]


def target_of(properties: Properties, user: str, password: str) -> Target:
    """Return the database that a resource's properties name, for a user; Pulumi's numbers are floats."""
    host, port, database = str(properties["host"]), int(properties["port"]), str(properties["database"])
    return Target(host, port, database, user, password, properties.get("options") or {})


def admin_target(properties: Properties) -> Target:
    """Return the database that a resource's properties name, for the login in `user` and `password`."""
    return target_of(properties, properties["user"], properties["password"])
