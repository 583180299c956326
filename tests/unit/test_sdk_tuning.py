"""What reaches into the SDK: it is there in the pinned version, falls back where it is not, and can be turned off."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra import sdk_tuning
from infra.sdk_tuning import PRIVATE_PARTS, SWITCH, private_part


def output_of(program: str, **environment: str) -> list[str]:
    """Run a program in a process of its own, and return the words that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout.split()


@pytest.mark.parametrize("path", PRIVATE_PARTS)
def test_the_pinned_sdk_has_every_private_part(path: str) -> None:
    """A new version of the SDK that lacks one of them is noticed here."""
    assert private_part(path) is not None


def test_the_pinned_sdk_has_a_host_that_is_told_of_a_cancelled_run() -> None:
    """Its module cannot be imported, because it runs a host at once; so its text is read."""
    spec = find_spec("pulumi.dynamic.__main__")
    assert spec
    assert spec.origin
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert f"class {sdk_tuning.PROVIDER_HOST}(" in text
    assert "    def Cancel(self, request, context):" in text


HOST = """
from google.protobuf import empty_pb2
class DynamicResourceProviderServicer:
    def Cancel(self, request, context):
        return empty_pb2.Empty()
known_to_grpc = DynamicResourceProviderServicer().Cancel
from infra import sdk_tuning
for word in ("first", "second"):
    sdk_tuning.call_when_cancelled(lambda word=word: print(word))
print(type(known_to_grpc(None, None)).__name__)
"""


def test_a_host_that_is_told_of_a_cancelled_run_calls_what_asked_for_it() -> None:
    """Also through the method that gRPC took before; turned off, the host does nothing as before."""
    assert output_of(HOST) == ["first", "second", "Empty"]
    assert output_of(HOST, **{SWITCH: "off"}) == ["Empty"]


def test_a_missing_part_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the SDK lacks what is reached for, every function takes the public way."""

    def nothing(_path: str) -> None:
        """Lack every part."""

    monkeypatch.setattr(sdk_tuning, "private_part", nothing)
    sdk_tuning.stored_provider.cache_clear()
    resource, output = object(), object()
    try:
        assert sdk_tuning.depends_only_on(resource) is resource  # pyright: ignore[reportArgumentType]
        assert sdk_tuning.without_dependencies(output) is output  # pyright: ignore[reportArgumentType]
        assert sdk_tuning.with_stored_provider(dict, {}) is None  # pyright: ignore[reportArgumentType]
        sdk_tuning.drop_debug_messages()
        sdk_tuning.drop_stack_traces()
        sdk_tuning.send_registrations()
    finally:
        sdk_tuning.stored_provider.cache_clear()


TUNE = (
    "import gc, pulumi.log, pulumi.runtime.resource as resource; from infra import sdk_tuning as tuning;"
    "before = (pulumi.log.debug, resource._get_stack_trace);"
    "tuning.disable_garbage_collection(); tuning.drop_debug_messages(); tuning.drop_stack_traces();"
    "print(gc.isenabled(), before == (pulumi.log.debug, resource._get_stack_trace),"
    " tuning.private_part('pulumi.output.Output') is None)"
)


def test_one_variable_turns_all_of_it_off() -> None:
    """With it the SDK and the collector stay as they are; without it they are tuned."""
    assert output_of(TUNE, **{SWITCH: "off"}) == ["True", "True", "True"]
    assert output_of(TUNE, **{SWITCH: ""}) == ["False", "False", "False"]


def test_the_program_collects_no_garbage() -> None:
    """Neither while it runs nor at its end: the objects of that moment are frozen."""
    assert output_of(
        "import atexit, gc; from infra.sdk_tuning import disable_garbage_collection;"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000));"
        "disable_garbage_collection()"
    ) == ["False", "True"]


def test_the_host_collects_what_is_new() -> None:
    """The host may live long: objects from before its first provider are exempt, later ones are not."""
    assert output_of(
        "import gc; from infra.sdk_tuning import freeze_loaded_objects;"
        "freeze_loaded_objects(); before = gc.get_freeze_count(); kept = [[] for _ in range(500)];"
        "freeze_loaded_objects(); print(gc.isenabled(), before > 1000, gc.get_freeze_count() == before)"
    ) == ["True", "True", "True"]


CALL = """
import grpc
from concurrent.futures import ThreadPoolExecutor
from infra.sdk_tuning import show_errors_as_they_are

def fail(request, context):
    raise ValueError("sql/x.sql:1: is wrong")

show_errors_as_they_are()
server = grpc.server(ThreadPoolExecutor(1))
methods = {"M": grpc.unary_unary_rpc_method_handler(fail)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("S", methods),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
try:
    grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/S/M")(b"")
except grpc.RpcError as error:
    print(error.details())
"""


def test_an_error_of_a_verb_is_shown_as_it_is() -> None:
    """A person reads its text, without what gRPC puts before it."""
    assert output_of(CALL) == ["sql/x.sql:1:", "is", "wrong"]
    assert output_of(CALL, **{SWITCH: "off"})[:3] == ["Exception", "calling", "application:"]
