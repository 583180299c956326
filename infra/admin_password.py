"""Declares the admin's password: the first resource of a stack, so that it imports next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.resources.passwords import Passwords

if TYPE_CHECKING:
    from infra.settings import Settings

ADMIN = "postgres"


def declare_admin_password(settings: Settings) -> Passwords:
    """Declare the password with which the stack administers its server."""
    return Passwords("admin-password", roles=[ADMIN], rotation=settings.password_rotation)
