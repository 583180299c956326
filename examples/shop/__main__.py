"""A shop's database and one for its tests, with the same schema, on one server."""

import pulumi

from platform_postgres import PostgresDatabase, PostgresServer

server = PostgresServer("server", {"kind": "embedded", "settings": {"work_mem": "8MB"}})

shop = PostgresDatabase(
    "shop",
    server=server,
    modules={"directory": "sql", "statement_timeout": "5min"},
    extensions=["pg_trgm"],
)
tests = PostgresDatabase("shop_test", server=server, modules="sql", extensions=["pg_trgm"])

pulumi.export("dsn", shop.dsn)  # the application role's; secret
pulumi.export("test_dsn", tests.dsn)
pulumi.export("fingerprints", [shop.fingerprint, tests.fingerprint])
