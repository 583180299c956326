"""A program for test_own_program.py: options of Pulumi on the components, and outputs as their arguments."""

import pulumi
import pulumi_postgresql as postgresql

from platform_postgres import PostgresDatabase, PostgresServer, SqlModules

config = pulumi.Config()
former = config.get("former")


def limit(arguments: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Limit the connections of each role."""
    if arguments.type_ != "postgresql:index/role:Role":
        return None
    return pulumi.ResourceTransformResult({**arguments.props, "connectionLimit": 7}, arguments.opts)


server = PostgresServer("server")
shop = PostgresDatabase(
    config.require("name"),
    database="shop",
    server=server,
    modules="sql",
    extensions=["pg_trgm"],
    opts=pulumi.ResourceOptions(transforms=[limit], aliases=[pulumi.Alias(name=former)] if former else None),
)

# To this one its server is known by an output alone, as one that a resource of a cloud creates.
crm = PostgresDatabase("crm", server={"kind": "external", "dsn": server.admin_dsn}, extensions=["pg_trgm"])

# And this is a database that other resources make.
provider = postgresql.Provider(
    "others",
    host=server.host,
    port=server.port,
    username="postgres",
    password=server.admin_dsn.apply(lambda dsn: dsn.split(":")[2].partition("@")[0]),
    sslmode="disable",
    opts=pulumi.ResourceOptions(depends_on=[shop, crm]),
)
by_others = pulumi.ResourceOptions(provider=provider)
plain = postgresql.Database("plain", name="plain", opts=by_others)
extension = postgresql.Extension("plain", name="pg_trgm", database=plain.name, opts=by_others)
dsn = pulumi.Output.all(server.admin_dsn, plain.name).apply(lambda known: known[0].rpartition("/")[0] + "/" + known[1])
after = pulumi.ResourceOptions(depends_on=[extension])
schema = SqlModules("schema", {"dsn": dsn}, modules="sql", extensions=["pg_trgm"], opts=after)

pulumi.export("dsn", shop.dsn)
pulumi.export("migrator", shop.dsns["migrator"])
pulumi.export("crm", crm.dsn)
pulumi.export("plain", dsn)
pulumi.export("fingerprints", [shop.fingerprint, crm.fingerprint, schema.fingerprint])
