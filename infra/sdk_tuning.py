"""Everything that reaches into private parts of Pulumi's SDK, and into the garbage collector, to save time; and what
reports that a run is cancelled, which the SDK does not pass on, or shows an error as it is.

Each function falls back to the SDK's public way where the part it needs is not there (another version of the SDK),
and `PLATFORM_POSTGRES_SDK_TUNING=off` in the environment makes all of them do so. docs/performance.md says what they
save.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import os
import sys
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pulumi
    from pulumi.dynamic import ResourceProvider

SWITCH = "PLATFORM_POSTGRES_SDK_TUNING"

DEBUG_MESSAGES = "pulumi.log.debug"
STACK_TRACE = "pulumi.runtime.resource._get_stack_trace"
EMPTY_STACK_TRACE = "pulumi.runtime.proto.source_pb2.StackTrace"
RUN_EVENT_LOOP = "pulumi.runtime.sync_await._sync_await"
SERIALIZE_PROVIDER = "pulumi.dynamic.dynamic.serialize_provider"
PROVIDER_KEY = "pulumi.dynamic.dynamic.PROVIDER_KEY"
DEPENDENCY_RESOURCE = "pulumi.resource.DependencyResource"
OUTPUT_CLASS = "pulumi.output.Output"
ANSWER_WITH_ERROR = "grpc._server._abort"
PROVIDER_HOST = "DynamicResourceProviderServicer"
"""The class in `pulumi.dynamic.__main__`, which cannot be imported: it runs a host at once."""
PRIVATE_PARTS = (
    DEBUG_MESSAGES,
    STACK_TRACE,
    EMPTY_STACK_TRACE,
    RUN_EVENT_LOOP,
    SERIALIZE_PROVIDER,
    PROVIDER_KEY,
    DEPENDENCY_RESOURCE,
    OUTPUT_CLASS,
    ANSWER_WITH_ERROR,
)
"""What is reached for, as dotted paths; a test asserts that the pinned SDK has all of them."""

SEND_SECONDS = 0.005
ERROR_PREFIX = b"Exception calling application: "
"""What gRPC puts before the text of an error that a provider's verb raises."""

_cancel_actions: list[Callable[[], None]] = []


def is_on() -> bool:
    """Return whether the SDK may be tuned."""
    return os.environ.get(SWITCH, "").lower() != "off"


@cache
def private_part(path: str) -> Any:  # noqa: ANN401 (whatever the SDK has there)
    """Return what a dotted path names in the SDK, None where it is not there or tuning is off."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name) if is_on() else None
    except (ImportError, AttributeError):
        return None


@cache
def disable_garbage_collection() -> None:
    """Disable the garbage collector: for a process that ends before its memory counts, as the program does."""
    if is_on():
        gc.disable()
        atexit.register(gc.freeze)  # frozen objects are not visited when the interpreter ends either


@cache
def freeze_loaded_objects() -> None:
    """Exempt all objects that exist now from garbage collection: for the host of the dynamic providers."""
    if is_on():
        gc.freeze()
        atexit.register(gc.freeze)


@cache
def show_errors_as_they_are() -> None:
    """Leave gRPC's words out of a provider's errors, which a person reads: for the host of the dynamic providers.

    The SDK has no way for a verb to end a call with a message of its own.
    """
    answer = private_part(ANSWER_WITH_ERROR)
    if answer:
        setattr(import_module("grpc._server"), "_abort", partial(_answer_without_prefix, answer))  # noqa: B010 (private)


def _answer_without_prefix(answer: Callable[..., None], state: object, call: object, code: object, text: bytes) -> None:
    answer(state, call, code, text.removeprefix(ERROR_PREFIX))


def drop_debug_messages() -> None:
    """Drop the SDK's debug messages.

    The SDK sends four for each resource, each a call that waits for the engine's answer, whether or not `--debug` asked
    for them: a quarter of the time of an `up` without changes.
    """
    if private_part(DEBUG_MESSAGES):
        setattr(import_module("pulumi.log"), "debug", _ignore)  # noqa: B010 (not declared to be assigned to)


def drop_stack_traces() -> None:
    """Register resources without the stack of calls that declared them.

    The SDK reads the source lines of every frame, a millisecond a resource, and Pulumi keeps them in the state: a fifth
    of its size, with paths of this machine, rewritten whenever a line of the program moves.
    """
    if private_part(STACK_TRACE) and private_part(EMPTY_STACK_TRACE):
        replacement = private_part(EMPTY_STACK_TRACE)
        setattr(import_module("pulumi.runtime.resource"), "_get_stack_trace", replacement)  # noqa: B010 (private)


def send_registrations() -> None:
    """Send the resources registered so far, so that Pulumi starts the providers' host while the program goes on.

    The SDK has no public way to run its event loop before the program ends.
    """
    run_event_loop = private_part(RUN_EVENT_LOOP)
    if run_event_loop:
        run_event_loop(asyncio.sleep(SEND_SECONDS))


def call_when_cancelled(action: Callable[[], None]) -> None:
    """Call an action when Pulumi cancels a run, given in the host of the dynamic resources.

    The engine tells the host, whose method does nothing, and waits for what is being done. gRPC knows that method
    already, so that it gets another body instead of being replaced.
    """
    cancel = getattr(getattr(sys.modules["__main__"], PROVIDER_HOST, None), "Cancel", None)
    if cancel and is_on():
        if not _cancel_actions:
            cancel.__code__ = _cancel.__code__
        _cancel_actions.append(action)


def _cancel(_self: object, _request: object, _context: object) -> Any:  # noqa: ANN401 (a message of gRPC)
    """Call the actions; this body runs with the names of the host's module, and knows none of this one."""
    import sys  # noqa: PLC0415

    sys.modules["infra.sdk_tuning"].run_cancel_actions()
    return globals()["empty_pb2"].Empty()


def run_cancel_actions() -> None:
    """Call what is to be called when a run is cancelled."""
    for action in _cancel_actions:
        action()


def with_stored_provider(
    provider: type[ResourceProvider], properties: Mapping[str, object]
) -> dict[str, object] | None:
    """Return properties with the provider pickled into them, once for each class; None where the SDK has to do it.

    The SDK's own constructor pickles the provider again for every resource.
    """
    stored = stored_provider(provider)
    return None if stored is None else {**properties, private_part(PROVIDER_KEY): stored}


@cache
def stored_provider(provider: type[ResourceProvider]) -> str | None:
    """Return a provider as the state keeps it, pickled by reference; None where the SDK has to pickle it."""
    serialize = cast("Callable[[ResourceProvider], str] | None", private_part(SERIALIZE_PROVIDER))
    return serialize(provider()) if serialize and private_part(PROVIDER_KEY) else None


def depends_only_on(resource: pulumi.Resource) -> pulumi.Input[pulumi.Resource]:
    """Return what `depends_on` takes to order something after a resource, without that resource's own dependencies.

    For every dependency the SDK looks for a circle through everything behind it, by recursion: in a chain that costs
    the square of its length, and a chain of a thousand exceeds Python's recursion limit.
    """
    dependency, output = private_part(DEPENDENCY_RESOURCE), private_part(OUTPUT_CLASS)
    if not dependency or not output:
        return resource

    async def stand_in() -> pulumi.Resource:
        return dependency(await resource.urn.future())

    return output(set(), stand_in(), _known())


async def _known() -> bool:
    return True


def without_dependencies(value: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """Return an output that does not name the resources it comes from; its readers must be ordered after these anyway.

    Pulumi stores such names with every property of every resource, and looks for circles through each.
    """
    output = private_part(OUTPUT_CLASS)
    if not output:
        return value
    return output(set(), value.future(with_unknowns=True), value.is_known(), value.is_secret())


def _ignore(*_arguments: object, **_keywords: object) -> None:
    """Stand in for pulumi.log.debug."""
