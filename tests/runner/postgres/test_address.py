"""Which database is meant, as DBAs, CI jobs and other tools say it; and that no password is shown."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from runner.errors import CompanionError, NoDatabaseError, UsageError
from runner.history.instances import Target
from runner.history.status import status
from runner.migrate.apply import apply
from runner.postgres import embedded
from runner.postgres.address import named, parse, redact, resolve
from runner.postgres.session import connect, session
from tests.runner.command import run
from tests.runner.notes import Notes
from tests.runner.trees import TREES

PLACES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody says which database is meant, and no embedded server runs."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COMPANION_HOME", str(tmp_path))


@pytest.fixture
def variables(url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The address of the test's database in libpq's variables, and nowhere else."""
    monkeypatch.delenv("DATABASE_URL")
    place = conninfo_to_dict(url)
    given = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    found = {variable: str(place[name]) for variable, name in given.items()}
    for variable, value in found.items():
        monkeypatch.setenv(variable, value)
    return found


# Set but empty


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("name", ["--database", "DATABASE_URL", *PLACES])
def test_what_is_set_but_empty_is_refused_by_name(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    if name.startswith("-"):
        monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/app")
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"^{name} is set but empty"):
        resolve(value if name.startswith("-") else None)


# Every command that is about a database, with what it needs besides.
ABOUT_A_DATABASE = [
    ["up"], ["apply"], ["apply", "--dry-run"], ["rollback"], ["status"], ["verify"], ["seed", "--demo"],
    ["new", "hugo", "functions", "f", "--replace", "current_user_id"],
    ["contract", "export"], ["contract", "check"],
    ["jobs", "list"], ["jobs", "sync"], ["jobs", "crontab"], ["jobs", "run", "x"],
]  # fmt: skip
ABOUT_NONE = [["lint"], ["server", "status"], ["contract", "diff", "contract", "contract"], ["--version"], ["--help"]]


@pytest.mark.parametrize("command", ABOUT_A_DATABASE, ids=" ".join)
def test_every_command_refuses_an_empty_address(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    code, out, err = run(*command)
    assert (code, out) == (2, "")
    assert err.startswith("error: DATABASE_URL is set but empty; nothing was done\n")
    code, _, err = run(*command, "--database", "")
    assert (code, err.partition(";")[0]) == (2, "error: --database is set but empty")


@pytest.mark.parametrize("command", ABOUT_NONE, ids=" ".join)
def test_who_needs_no_database_does_not_look_for_one(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert "DATABASE_URL" not in "".join(run(*command)[1:])


# libpq's variables


def test_an_address_comes_before_the_variables(nowhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoDatabaseError):
        resolve(None)
    monkeypatch.setenv("PGHOST", "db.example.org")
    assert resolve(None) == "host='db.example.org'"
    monkeypatch.setenv("DATABASE_URL", "postgresql://one/app")
    assert (resolve(None), resolve("dbname=two")) == ("postgresql://one/app", "dbname=two")


@pytest.mark.parametrize("name", ["PGUSER", "PGPASSWORD", "PGOPTIONS", "PGSSLMODE"])
def test_what_only_completes_an_address_is_none(nowhere: None, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert named(None) is None


def test_the_variables_are_an_address_for_every_command(variables: dict[str, str], url: str) -> None:
    notes = Notes()
    assert len(apply(Target(resolve(None)), sql_root=TREES / "good", progress=notes)) == 2
    assert variables["PGDATABASE"] in notes.databases[0]
    # With psycopg and without.
    assert status(Target(resolve(None)), sql_root=TREES / "good") == status(Target(url), sql_root=TREES / "good")
    code, out, _ = run("status")
    assert (code, "demo" in out) == (0, True)


def test_the_variables_complete_an_address(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATABASE", "no_such_database")
    with session(f"dbname={variables['PGDATABASE']}") as s:
        assert s.conn.info.dbname == variables["PGDATABASE"]
    monkeypatch.setenv("PGAPPNAME", "nightly")
    with connect(f"dbname={variables['PGDATABASE']}") as conn:
        assert conn.execute("SHOW application_name").fetchone() == ("nightly",)


def test_a_service_is_an_address(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"[app]\nhost={variables['PGHOST']}\nport={variables['PGPORT']}\ndbname={variables['PGDATABASE']}\n"
    (tmp_path / "services").write_text(text)
    for name, value in (("PGSERVICE", "app"), ("PGSERVICEFILE", str(tmp_path / "services")), ("PGHOST", "nowhere")):
        monkeypatch.setenv(name, value)
    with session(resolve(None)) as s:
        assert s.conn.info.dbname == variables["PGDATABASE"]


def test_the_embedded_server_heeds_no_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for default in psycopg.pq.Conninfo.get_defaults():
        if default.envvar:
            monkeypatch.setenv(default.envvar.decode(), "nonsense")
    monkeypatch.setenv("PGSERVICE", "nonsense")
    url = embedded.start()
    with session(url) as s:
        assert s.about.startswith("database companion on the embedded server as postgres (PostgreSQL ")
    with session(str(psycopg.conninfo.make_conninfo(url, dbname="postgres"))) as s:
        assert s.conn.info.dbname == "postgres"
    assert [one.applied for one in status(Target(url), sql_root=TREES / "good")] == [()]
    code, out, err = run("server", "psql", "-Atc", "SELECT 'here'")
    assert (code, out, err) == (0, "here\n", "")
    assert os.environ["PGHOST"] == "nonsense"


def test_who_changes_something_says_where(url: str) -> None:
    with psycopg.connect(url) as conn:
        name, host = conn.info.dbname, conn.info.host
    for command in (["apply", "--json"], ["rollback"], ["apply", "--rehearse"], ["apply"]):
        code, _, err = run(*command)
        first, *rest = err.splitlines()
        assert code == 0
        assert first.startswith(f"database {name} on ") and " as postgres (PostgreSQL " in first
        assert host in first
        assert not [line for line in rest if line.startswith("database ")]
    for command in (["status"], ["apply", "--dry-run"], ["verify"]):
        assert "database " not in run(*command)[2]


# Addresses that cannot be read


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://app:s3cret@127.0.0.1:1/app?pgbouncer=true", "PostgreSQL knows no parameter pgbouncer"),
        ("postgresql://app:s3cret@127.0.0.1:1/app?schema=public&sslmode=disable", "no parameter schema"),
        ("postgresql://app@127.0.0.1:1/app?connection_limit=1&pool_timeout=2", "connection_limit, pool_timeout"),
        ("host=127.0.0.1 port=1 dbname=app pgbouncer=true password=s3cret", "no parameter pgbouncer"),
        ("postgresql+psycopg://app:s3cret@127.0.0.1:1/app", "postgresql+psycopg:// is not PostgreSQL's"),
        ("postgres+asyncpg://127.0.0.1:1/app", "postgres+asyncpg:// is not PostgreSQL's"),
        ("jdbc:postgresql://127.0.0.1:1/app", "cannot read the database address"),
        ("mysql://app:s3cret@127.0.0.1/app", "mysql:// is not PostgreSQL's"),
        ("nonsense", "cannot read the database address"),
    ],
)
def test_what_is_wrong_with_an_address_is_named(address: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(address)
    assert said in caught.value.message
    assert "s3cret" not in str(caught.value.as_dict()) and caught.value.hint


@pytest.mark.parametrize(
    "password",
    ["Tr0ub@dour3", "Tr0ub/dour3", "Tr0ub%dour3", "12/dour3", "@dour3", "dour3@", "/dour3", "Tr0ub@x/dour3", "%dour3"],
)
@pytest.mark.parametrize(
    "rest", ["127.0.0.1:1/app", "/app?host=/nowhere", "127.0.0.1:1", "127.0.0.1:1/app?sslmode=disable"]
)
def test_of_a_password_that_is_not_encoded_nothing_is_said(url: str, password: str, rest: str) -> None:
    """Neither by libpq's own words nor by ours, and the host is not blamed."""
    with pytest.raises(CompanionError) as caught:
        connect(f"postgresql://app:{password}@{rest}")
    said = str(caught.value.as_dict())
    assert "dour3" not in said and "Tr0ub" not in said
    assert "%40" in said and "host name" not in caught.value.message


@pytest.mark.parametrize(
    ("address", "parameters"),
    [
        ("postgresql://me:a%40b%2Fc%25d@host:5432/db", {"user": "me", "password": "a@b/c%d", "host": "host"}),
        ("postgresql://me:a?b@host/db", {"password": "a?b", "host": "host"}),
        ("postgresql://[::1]:5432/db", {"host": "::1", "port": "5432"}),
        ("postgresql://one:1,two:2/db", {"host": "one,two", "port": "1,2"}),
        ("postgresql:///db?host=/tmp", {"host": "/tmp", "dbname": "db"}),
        ("postgresql://", {}),
        ("postgres://me@%2Ftmp/db", {"host": "/tmp", "user": "me"}),
        ("host=/tmp password='a b@c/d'", {"password": "a b@c/d"}),
    ],
)
def test_what_libpq_can_read_is_read(address: str, parameters: dict[str, str]) -> None:
    assert parse(address).items() >= parameters.items()


# Passwords


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://postgres:postgres@/postgres", "postgresql://postgres:***@/postgres"),
        ("postgresql://me:s3cret@host/db", "postgresql://me:***@host/db"),
        ("cannot reach postgresql://me:a@b@host/db", "cannot reach postgresql://me:***@host/db"),
        ("host=x password=s3cret dbname=y", "host=x password=*** dbname=y"),
        ("host=x password='s3 cret' user=y", "host=x password=*** user=y"),
        ("host=x password = 's3\\'cret' user=y", "host=x password = *** user=y"),
        ("postgresql://host/db?user=me&password=s3cret&sslmode=disable",
         "postgresql://host/db?user=me&password=***&sslmode=disable"),
        ("postgresql://host:5432/db?options=-c%20x", "postgresql://host:5432/db?options=-c%20x"),
        ("the role postgres may not", "the role postgres may not"),
    ],
)  # fmt: skip
def test_a_password_is_hidden_where_it_stands(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_an_address_that_is_printed_can_be_read(url: str) -> None:
    place = conninfo_to_dict(url)
    address = f"postgresql://postgres:postgres@/{place['dbname']}?host={place['host']}&port={place['port']}"
    code, out, err = run("up", "--database", address)
    assert code == 0, err
    assert f"connect to  {address.replace(':postgres@', ':***@')}\n" in out
