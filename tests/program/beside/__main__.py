"""A program for test_own_program.py: modules of its own in the database of another program, named in its settings."""

import pulumi

from platform_postgres import SqlModules

dsn = pulumi.Config().require_secret("dsn")
billing = SqlModules("billing", {"dsn": dsn}, modules="sql", owner="shop_owner", beside="shop/test")
pulumi.export("fingerprint", billing.fingerprint)
