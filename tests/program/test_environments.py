"""Environments on a server that is there: up, listed, swept and down; the server is left as it was, fact by fact."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from infra.postgres.introspection.cluster_catalog import cluster_facts
from infra.postgres.marks import read_marks
from infra.server.embedded import cluster
from tests.program.conftest import removed
from tests.program.homes import BOSS, Embedded, External
from tests.program.project import Project, wait_until
from tests.program.run_folder import new_checkout

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from infra.postgres.introspection.cluster_catalog import ClusterFact

pytestmark = pytest.mark.full


class Environments:
    """A checkout with a template, and a server on which its environments live."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.template = project.folder / "Pulumi.pr.yaml"

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command for environments; return its exit status and what it said."""
        done = self.project.run_python("-m", "infra", "env", *arguments)
        assert "Traceback" not in done.text, done.text
        return done.status, done.text

    def done(self, *arguments: str) -> str:
        """Run a command that must succeed."""
        status, text = self.run(*arguments)
        assert status == 0, text
        return text

    def facts(self) -> frozenset[ClusterFact]:
        """Return the facts of the server."""
        with psycopg.connect(**self.project.home.way(self.project), dbname="postgres") as connection:
            return cluster_facts(connection)

    def execute(self, *statements: str) -> None:
        """Run statements as the superuser."""
        with psycopg.connect(**self.project.home.way(self.project), dbname="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 (any setting)
        """Write the template's file with further settings."""
        document = json.loads(self.template.read_text())
        document["config"] |= {f"platform-postgres:{name}": value for name, value in settings.items()}
        self.template.write_text(json.dumps(document))

    def rows(self, database: str) -> list[str]:
        """Return the addresses of the customers in a database."""
        return [row[0] for row in self.query(database, "SELECT email FROM customers ORDER BY 1")]

    def query(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query as the superuser."""
        with psycopg.connect(**self.project.home.way(self.project), dbname=database) as connection:
            return connection.execute(query.encode()).fetchall()

    def marked(self) -> list[str]:
        """Return the stacks that the marks on the server name."""
        with psycopg.connect(**self.project.home.way(self.project), dbname="postgres") as connection:
            return [found.mark.stack for found in read_marks(connection)]


@pytest.fixture
def environments(data_root: Path) -> Generator[Environments]:
    """Yield a checkout whose template names a server that is there, and an administrator without superuser rights."""
    with removed(Project(new_checkout(), External(data_root, "boss"))) as project:
        project.make()
        project.pulumi("stack", "rm", "--yes", project.stack)
        made = Environments(project)
        server: dict[str, Any] = project.settings["server"]
        further = {"reporting": {"inherits": "readonly"}}
        config = {
            "platform-postgres:lifecycle": "ephemeral",
            "platform-postgres:server": server,
            "platform-postgres:roles": further,
        }
        made.template.write_text(json.dumps({"config": config}))
        yield made


def test_environments_come_and_go_without_a_trace(environments: Environments) -> None:
    """Two at once, brought up again, also from another checkout, listed, kept by a sweep, removed and proved gone."""
    before = environments.facts()
    first = json.loads(environments.done("up", "pr-1", "--ttl=2h", "--json", "--show-secrets"))
    assert list(first["databases"]) == ["platform_postgres_pr_1", "platform_postgres_pr_1_test"]
    with psycopg.connect(first["databases"]["platform_postgres_pr_1"]) as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (0,)
    text = environments.done("up", "feature/Login", "--ttl=1d")
    assert "feature_login_" in text
    password = first["databases"]["platform_postgres_pr_1"].split(":")[2].split("@")[0]
    again = environments.done("up", "pr-1", "--ttl=3h")
    assert password not in again

    listed = json.loads(environments.done("list", "--json"))
    assert [each["name"] for each in listed] == ["feature/Login", "pr-1"]
    other = listed[0]["stack"]
    assert environments.marked() == sorted([other, "pr-1"])
    swept = environments.done("sweep", "--apply")
    assert f"kept     stack {other}: it expires in 23 h" in swept
    assert "kept     stack pr-1: it expires in 2 h" in swept

    gone = environments.done("down", "pr-1", "--prove")
    assert "environment pr-1 is removed; proved: " in gone
    assert environments.done("down", "pr-1") == "there is no environment pr-1: nothing to remove\n"
    again = json.loads(environments.done("down", "pr-1", "--json"))
    assert again == {"name": "pr-1", "outcome": "there is no environment pr-1: nothing to remove"}
    assert not (environments.project.folder / "Pulumi.pr-1.yaml").exists()
    assert environments.marked() == [other]

    (environments.project.folder / f"Pulumi.{other}.yaml").unlink()  # as in another checkout
    assert "feature_login_" in environments.done("up", "feature/Login", "--ttl=1d")
    (environments.project.folder / f"Pulumi.{other}.yaml").unlink()
    assert "proved" in environments.done("down", "feature/Login", "--prove")
    assert environments.facts() == before


def test_what_has_lost_its_stack_or_its_database_is_swept(environments: Environments) -> None:
    """Listed first; nothing without a mark is touched, and nothing that has not expired and has no stack here.

    A stack whose server does not answer is refused with the command that removes it without asking the server.
    """
    before = environments.facts()
    environments.configure(modules={"wait": "2s"})
    environments.done("up", "pr-1")
    environments.done("up", "pr-2")
    environments.execute(
        "CREATE DATABASE joes",
        "CREATE ROLE their_owner",
        "CREATE DATABASE theirs OWNER their_owner",
        "COMMENT ON ROLE their_owner IS 'platform-postgres environment blog/pr-1, expires 2020-01-01T00:00:00Z'",
        "CREATE ROLE old_owner",
        "CREATE DATABASE old OWNER old_owner",
        "COMMENT ON ROLE old_owner IS 'platform-postgres environment platform-postgres/pr-9, "
        "expires 2020-01-01T00:00:00Z'",
        "GRANT old_owner TO boss WITH ADMIN OPTION",
        "DROP DATABASE platform_postgres_pr_2 WITH (FORCE)",
        "DROP DATABASE platform_postgres_pr_2_test WITH (FORCE)",
    )
    for arguments in ((), ("--apply",)):
        swept = environments.done("sweep", *arguments)
        assert "kept     stack pr-1: it expires in 6 d" in swept
        assert "removed  stack pr-2: its databases are gone" in swept
        assert "removed  databases old: there is no stack pr-9, and it expired" in swept
        assert "kept     databases theirs: it is of another project, blog" in swept
        assert "joes" not in swept
        assert ("nothing was removed yet" in swept) == (not arguments)
    assert [each["stack"] for each in json.loads(environments.done("list", "--json"))] == ["pr-1"]
    assert json.loads(environments.done("sweep", "--json"))[0] == {
        "what": "stack pr-1",
        "removed": False,
        "reason": "it expires in 6 d",
        "problem": "",
    }
    stacks = environments.project.state / ".pulumi" / "stacks"
    stacks.rename(stacks.with_name("elsewhere"))
    assert "there is no stack pr-1 here, but it expires in 6 d" in environments.done("sweep", "--apply")
    environments.execute("DROP DATABASE joes", "DROP DATABASE theirs", "DROP ROLE their_owner")
    assert environments.marked() == ["pr-1"]
    assert {name for fact in environments.facts() - before for name in fact.names if "pr_1" not in name} == {"boss"}

    shutil.rmtree(stacks, ignore_errors=True)
    stacks.with_name("elsewhere").rename(stacks)
    environments.project.home.freeze(environments.project)
    status, text = environments.run("down", "pr-1")
    assert (status, "gone for good: `make env-down NAME=pr-1 ARGS=--forget`" in text) == (2, True), text
    assert "the stack of environment pr-1 is removed" in environments.done("down", "pr-1", "--forget")
    assert environments.done("list") == "there are no environments\n"


def test_an_environment_begins_with_the_rows_of_its_seed(environments: Environments) -> None:
    """Once; a push that changes them builds the database anew, and one with a mistake is refused at its line."""
    before, project = environments.facts(), environments.project
    environments.configure(databases=[{"seed": "seed.sql"}, {}])
    seed = project.folder / "seed.sql"
    seed.write_text("COPY customers (id, email) FROM stdin;\n1\ta@b.example\n2\tc@d.example\n\\.\n")
    text = environments.done("up", "pr-1")
    assert "the rows of seed.sql are inserted" not in text  # a line for the log of Pulumi, no warning
    assert environments.rows("platform_postgres_pr_1") == ["a@b.example", "c@d.example"]
    assert environments.rows("platform_postgres_pr_1_test") == []
    environments.done("up", "pr-1")
    assert environments.rows("platform_postgres_pr_1") == ["a@b.example", "c@d.example"]

    seed.write_text(seed.read_text().replace("c@d", "e@f"))
    environments.done("up", "pr-1")
    assert environments.rows("platform_postgres_pr_1") == ["a@b.example", "e@f.example"]
    refreshed = project.run("refresh", "--stack=pr-1", "--yes", "--expect-no-changes")
    assert refreshed.status == 0, refreshed.text
    seed.write_text(seed.read_text().replace("2\te", "1\te"))
    status, text = environments.run("up", "pr-1")
    assert (status, "seed.sql:3: duplicate key value violates unique constraint" in text) == (2, True), text
    seed.unlink()
    status, text = environments.run("up", "pr-1")
    assert (status, 'databases.0.seed: is "seed.sql"; must be a file that exists' in text) == (2, True), text
    seed.write_text("INSERT INTO customers (id, email) VALUES (3, 'g@h.example');\n")
    environments.done("up", "pr-1")
    assert environments.rows("platform_postgres_pr_1") == ["g@h.example"]
    assert "proved" in environments.done("down", "pr-1", "--prove")
    assert environments.facts() == before


SWEEP_LATER = """
from datetime import datetime, timedelta, timezone
from pathlib import Path
from infra.environments.sweep import sweep_environments
later = datetime.now(timezone.utc) + timedelta(days=8)
print(*sweep_environments(Path(), template="pr", apply=True, tell=print, now=later), sep="\\n")
"""


def test_an_environment_goes_whose_server_is_gone(environments: Environments) -> None:
    """Its stack and its passwords; a login that is refused is no such server; what comes back with it is swept."""
    before, project = environments.facts(), environments.project
    home = cast("External", project.home)
    files = [project.folder / name for name in (".env.pr-1", "Pulumi.pr-1.yaml")]
    environments.configure(modules={"wait": "2s"})
    environments.done("up", "pr-1")
    with psycopg.connect(**home.way(project), dbname="postgres", autocommit=True) as connection:
        connection.execute("ALTER ROLE boss PASSWORD 'another'")
        status, text = environments.run("down", "pr-1")
        assert (status, "gone for good: `make env-down NAME=pr-1 ARGS=--forget`" in text) == (2, True), text
        connection.execute(f"ALTER ROLE boss PASSWORD '{BOSS}'".encode())
    marked, server = environments.facts(), "server 127.0.0.1:{port}".format_map(home.way(project))

    home.kill(project)
    gone = f"{server} is gone: nobody listens there, or nobody knows its name"
    status, text = environments.run("down", "pr-1", "--prove")
    said = f"{server}: is gone: nobody listens there, or nobody knows its name; `make env-down NAME=pr-1` removes"
    assert (status, said in text) == (2, True), text
    assert all(path.exists() for path in files)
    text = environments.done("down", "pr-1")
    databases = "platform_postgres_pr_1, platform_postgres_pr_1_test"
    assert text.splitlines()[-1] == (
        f"the stack of environment pr-1 is removed: {gone}; "
        f"should it come back, `env sweep` finds the databases {databases}"
    )
    assert not any(path.exists() for path in files)
    assert environments.done("list") == "there are no environments\n"

    cluster.create(home.specification(project), adopt=True)
    assert server == "server 127.0.0.1:{port}".format_map(home.way(project))
    assert environments.facts() == marked
    assert "there is no stack pr-1 here, but it expires in 6 d" in environments.done("sweep", "--apply")
    later = project.run_python("-c", SWEEP_LATER)
    assert (later.status, "removed  databases" in later.text) == (0, True), later.text
    assert environments.facts() == before


def test_an_environment_goes_whose_own_server_is_gone(data_root: Path) -> None:
    """Killed, and its data removed by hand: there is nothing to ask, and nothing to keep."""
    home = Embedded(data_root)
    with removed(Project(new_checkout(), home, "pr-1")) as project:
        project.make()
        project.pulumi("stack", "rm", "--yes", "pr-1")
        environments = Environments(project)
        config = {"platform-postgres:lifecycle": "ephemeral", "platform-postgres:server": project.settings["server"]}
        environments.template.write_text(json.dumps({"config": config}))
        environments.done("up", "pr-1")
        home.kill(project)
        shutil.rmtree(home.base(project))
        text = environments.done("down", "pr-1", "--prove")
        assert text == "environment pr-1 is removed; proved: its server no longer answers\n"
        assert environments.done("list") == "there are no environments\n"


def test_what_is_no_environment_is_left_alone(environments: Environments) -> None:
    """A stack that people made, a persistent template, a name or a time that is none: one sentence, nothing changed."""
    project = environments.project
    before = environments.facts()
    project.pulumi("stack", "init", "test")
    project.configure()
    for arguments, problem in (
        (("up", "test"), "stack test: has a file Pulumi.test.yaml that somebody wrote"),
        (("down", "test"), "stack test: exists and was not made by `env up`; nothing was changed"),
        (("up", "--", "--x"), "does not begin with a letter or digit"),
        (("up", "pr-1", "--ttl=soon"), "--ttl: 'soon' is no time from now"),
        (("up", "pr-1", "--template=none"), "stack none: there is no Pulumi.none.yaml"),
    ):
        status, text = environments.run(*arguments)
        assert (status, problem in text) == (2, True), text
    environments.template.write_text(environments.template.read_text().replace("ephemeral", "persistent"))
    status, text = environments.run("up", "pr-1")
    assert status == 2
    assert "Pulumi.pr.yaml: has lifecycle: persistent, and an environment is removed with its data" in text
    assert not (project.folder / "Pulumi.pr-1.yaml").exists()
    assert environments.facts() == before


def test_what_ends_a_run_is_told_once_and_the_next_one_completes(environments: Environments) -> None:
    """A module that is missing, a statement that fails, `kill -9` in the middle: the program runs in the command."""
    before, project = environments.facts(), environments.project
    project.add("sql/10-late.sql", "CREATE TABLE late ();")
    status, text = environments.run("up", "pr-1")
    said, error, end = text.partition("  sql/10-late.sql: leaves out number 09; number the modules without a gap\n")
    assert (status, said) == (2, "stack pr-1: sql: 1 problem with the SQL modules, nothing was run\n")
    assert error
    assert not end
    project.add("sql/09-early.sql", "CREATE TABLE early (id integer;")
    status, text = environments.run("up", "pr-1")
    assert (status, text.count("syntax error"), "unhandled" in text) == (2, 1, False), text

    project.add("sql/09-early.sql", "SELECT pg_sleep(60);\nCREATE TABLE early ();")
    command = project.start(
        *("-m", "infra", "env", "up", "pr-1"), program=str(project.folder / ".venv" / "bin" / "python")
    )
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND wait_event = 'PgSleep'"
    wait_until(lambda: environments.query("postgres", asleep) == [(2,)], "the modules do not wait")
    command.kill()
    command.communicate()
    wait_until(lambda: environments.query("postgres", asleep) == [(0,)], "the modules wait on")
    project.add("sql/09-early.sql", "CREATE TABLE early ();")
    status, text = environments.run("up", "pr-1")
    assert (status, "another run holds its lock; wait until it has ended; `make cancel STACK=pr-1`" in text) == (
        2,
        True,
    )
    project.pulumi("cancel", "--yes", "--stack", "pr-1")
    environments.done("up", "pr-1")
    assert environments.query("platform_postgres_pr_1_test", "SELECT * FROM early, late") == []
    assert "proved" in environments.done("down", "pr-1", "--prove")
    assert environments.facts() == before


def test_new_databases_are_clones_where_the_server_has_a_template(environments: Environments) -> None:
    """What is in them is their own, as modules would have made it; no environment makes or drops the template."""
    before, project = environments.facts(), environments.project
    said = environments.done("template")
    assert re.fullmatch("database environments_template_[0-9a-f]{12} is the template of environments\n", said)
    assert environments.done("template") == said
    with_template = environments.facts()

    made = json.loads(environments.done("up", "pr-1", "--json", "--show-secrets"))["databases"]
    with psycopg.connect(made["platform_postgres_pr_1"]) as connection:
        connection.execute("INSERT INTO customers (id, email) VALUES (1, 'a@b.example')")
    assert project.run("preview", "--stack=pr-1", "--expect-no-changes").status == 0
    steps = "SELECT DISTINCT step FROM sqlmodule.event WHERE stack ~ '/pr-' ORDER BY 1"
    assert environments.query("platform_postgres_pr_1", steps) == [("clone",)]

    assert environments.done("template", "--drop") == "there is no template of environments\n"
    environments.done("up", "pr-2")
    assert environments.query("platform_postgres_pr_2", steps) == [("apply",)]
    rows = "SELECT module, text_digest, outcome, stack, objects::text, seeds FROM sqlmodule.ledger ORDER BY module"
    first, second = (environments.query(f"platform_postgres_{name}", rows) for name in ("pr_1", "pr_2"))
    assert str(first).replace("pr_1", "pr_2").replace("pr-1", "pr-2") == str(second)

    assert environments.done("template") == said
    project.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    environments.configure(modules={"allow_loss": True})
    environments.done("up", "pr-1")  # as a push does; the template has other modules now
    assert environments.query("platform_postgres_pr_1", steps) == [("clone",), ("drop",), ("rebuild",)]
    environments.done("up", "pr-3")
    assert environments.query("platform_postgres_pr_3", steps) == [("apply",)]

    for name in ("pr-3", "pr-1", "pr-2"):
        assert "proved" in environments.done("down", name, "--prove")
    assert environments.facts() - with_template == with_template - environments.facts() == frozenset()
    environments.done("template", "--drop")
    assert environments.facts() == before
