"""Where the providers live: the state of every stack names them, so that none of these paths may ever change."""

from __future__ import annotations

import base64
import importlib
import pkgutil

import dill  # pyright: ignore[reportMissingTypeStubs]
import pytest
from pulumi.dynamic.dynamic import serialize_provider  # pyright: ignore[reportUnknownVariableType]

import infra.resources
from infra.resources.base import Provider

FROZEN = [
    "infra.resources.passwords.PasswordsProvider",
    "infra.resources.embedded_server.EmbeddedServerProvider",
    "infra.resources.external_server.ExternalServerProvider",
    "infra.resources.docker_engine.DockerEngineProvider",
    "infra.resources.docker_plan.DockerPlanProvider",
    "infra.resources.docker_objects.DockerVolumeProvider",
    "infra.resources.docker_objects.DockerNetworkProvider",
    "infra.resources.docker_server.DockerServerProvider",
    "infra.resources.server_certificate.ServerCertificateProvider",
    "infra.resources.admin_membership.AdminMembershipProvider",
    "infra.resources.database_access.DatabaseAccessProvider",
    "infra.resources.database_extensions.DatabaseExtensionsProvider",
    "infra.resources.database_clone.DatabaseCloneProvider",
    "infra.resources.sql_module.SqlModuleProvider",
    "infra.resources.seed_data.SeedDataProvider",
    "infra.resources.schema_ready.SchemaReadyProvider",
    "infra.resources.migrations.MigrationsProvider",
    "infra.resources.schema_plan.SchemaPlanProvider",
    "infra.resources.group_key.GroupKeyProvider",
    "infra.resources.database_group.DatabaseGroupProvider",
    "infra.resources.group_migrations.GroupMigrationsProvider",
    "infra.resources.group_module.GroupModuleProvider",
    "infra.resources.group_seed.GroupSeedProvider",
    "infra.resources.group_ready.GroupReadyProvider",
    "infra.resources.environment_mark.EnvironmentMarkProvider",
    "infra.resources.env_file.EnvFileProvider",
    "infra.resources.stack_policy.StackPolicyProvider",
    "infra.resources.shared_objects.SharedObjectsProvider",
]
LONGEST = 200  # bytes; a provider stored by value has thousands


def provider_class(path: str) -> type[Provider]:
    module, _, name = path.rpartition(".")
    found: type[Provider] = getattr(importlib.import_module(module), name)
    return found


def leaves(provider: type[Provider]) -> list[type[Provider]]:
    """Return this program's classes below a provider that have no subclass: those that resources are stored with."""
    classes = [leaf for subclass in provider.__subclasses__() for leaf in leaves(subclass) or [subclass]]
    return [leaf for leaf in classes if leaf.__module__.startswith("infra.")]


def stored(provider: type[Provider]) -> bytes:
    """Return what a stack's state holds of a provider."""
    return base64.b64decode(str(serialize_provider(provider())))


def test_these_are_all_providers() -> None:
    """Every provider of this project is in the list, and each of the list is there."""
    for module in pkgutil.iter_modules(infra.resources.__path__, "infra.resources."):
        importlib.import_module(module.name)
    assert {f"{leaf.__module__}.{leaf.__qualname__}" for leaf in leaves(Provider)} == set(FROZEN)


@pytest.mark.parametrize("path", FROZEN)
def test_a_provider_is_stored_by_its_path(path: str) -> None:
    """The state holds module and class name and no code, so that the same state works with a program that changed."""
    module, _, name = path.rpartition(".")
    data = stored(provider_class(path))
    assert module.encode() in data
    assert name.encode() in data
    assert len(data) < LONGEST
    loaded: object = dill.loads(data)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    assert type(loaded) is provider_class(path)


def test_a_provider_that_is_stored_by_value_would_be_seen() -> None:
    """A class that cannot be imported by its path is stored with its code, which is long and without the path."""

    class Local(Provider):
        """Is found nowhere by name."""

    assert len(stored(Local)) > LONGEST
