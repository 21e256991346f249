"""Which database a command is about: addresses, what is wrong with one, and how it may be shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from runner.errors import NoDatabaseError, UsageError
from runner.postgres import embedded

# Those of libpq's variables that say which database is meant; the others complete an address.
_VARIABLES = {
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGSERVICE": "service",
}

_SHAPE = "write postgresql://user:password@host:5432/database or host=… dbname=…"
_ENCODE = "in a URL, write @ as %40, / as %2F, : as %3A, % as %25 in user and password"


def named(url: str | None) -> str | None:
    """Return the address that somebody has given: `url`, else DATABASE_URL, else that of libpq's variables, else None.

    One that is given and empty, as a secret that is missing in CI is, raises UsageError.
    """
    for name, value in (("--database", url), ("DATABASE_URL", os.environ.get("DATABASE_URL"))):
        if value is not None:
            _refuse_empty({name: value})
            return value
    given = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    _refuse_empty(given)
    if "PGSERVICE" in given:
        # The file of services comes before the other variables, which libpq knows.
        given = {"PGSERVICE": given["PGSERVICE"]}
    return " ".join(f"{_VARIABLES[name]}={_quoted(value)}" for name, value in given.items()) or None


def resolve(url: str | None) -> str:
    """Return the address to use: the one that is named, else the running embedded server's.

    Raises NoDatabaseError when there is none, UsageError when one is named and empty.
    """
    found = named(url) or embedded.running_url()
    if not found:
        raise NoDatabaseError("no database: give --database, set DATABASE_URL or PGHOST, or run `companion up`")
    return found


def _refuse_empty(given: dict[str, str]) -> None:
    empty = [name for name, value in given.items() if not value.strip()]
    if empty:
        raise UsageError(
            f"{' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} set but empty; nothing was done",
            hint="give an address, or leave it out altogether: then the embedded server is meant",
        )


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def parse(address: str) -> dict[str, str]:
    """Return the parameters of an address; raise UsageError, which repeats nothing of a password, for a wrong one."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    uri = re.match(r"([A-Za-z][\w+.-]*)://", address)
    if uri:
        _check_uri(uri[1], address[uri.end() :])
    try:
        return {key: str(value) for key, value in conninfo_to_dict(address).items()}
    except psycopg.Error:
        # libpq repeats the string, password and all, in its message: say it in our own words.
        known = {default.keyword.decode() for default in psycopg.pq.Conninfo.get_defaults()}
        unknown = [name for name in _names(address) if name not in known]
        if unknown:
            raise UsageError(
                f"cannot read the database address: PostgreSQL knows no parameter {', '.join(unknown)}",
                hint="leave it out: it is for another tool; PostgreSQL's own are sslmode, connect_timeout, options, …",
            ) from None
        raise UsageError(
            "cannot read the database address", hint=f"{_ENCODE}; or {_SHAPE}" if uri else _SHAPE
        ) from None


def completed(address: str) -> dict[str, str]:
    """Return what libpq's variables add to an address, password and all, for who has not the same variables."""
    import psycopg

    with variables(address):
        return {
            default.keyword.decode(): os.environ[default.envvar.decode()]
            for default in psycopg.pq.Conninfo.get_defaults()
            if default.envvar and default.envvar.decode() in os.environ
        }


def _check_uri(scheme: str, rest: str) -> None:
    """Raise UsageError for what libpq would not notice, and take apart at the wrong place."""
    if scheme not in ("postgresql", "postgres"):
        raise UsageError(
            f"cannot read the database address: {scheme}:// is not PostgreSQL's", hint="begin it with postgresql://"
        )
    # libpq ends user and password at the first @ before any slash; what follows a second one would be the host.
    before, slash, path = rest.partition("/")
    userinfo, at, place = before.partition("@")
    if "@" in place.partition("?")[0] or (slash and "@" in path.partition("?")[0]):
        raise UsageError(
            "cannot read the database address: an @ or a / in it is not percent-encoded", hint=f"{_ENCODE}; {_SHAPE}"
        )
    hosts = re.sub(r"\[[^]]*\]", "", (place if at else userinfo).partition("?")[0])
    if not all(re.fullmatch(r"[^:]*(:\d*)?", host) for host in hosts.split(",")):
        raise UsageError("cannot read the database address: its port is not a number", hint=f"{_ENCODE}; {_SHAPE}")


def _names(address: str) -> list[str]:
    """Return the names of the parameters in an address."""
    if "://" in address:
        return re.findall(r"(?:^|&)([^=&]+)=", address.partition("?")[2])
    return re.findall(r"(?:^|\s)([A-Za-z_]\w*)\s*=", re.sub(r"'(?:[^'\\]|\\.)*'", "''", address))


def redact(text: str) -> str:
    """Return `text` without the passwords that stand in it: in URLs, and after `password=`."""
    text = re.sub(r"(://[^:@/?\s]*:)(?:[^?\s]*|[^/@\s]*)@", r"\1***@", text)
    return re.sub(r"(?i)\b(password|passwd|pgpassword)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", r"\1\2***", text)


@contextmanager
def variables(address: str) -> Iterator[None]:
    """Hide those of libpq's variables inside the block that are about another place than `address`.

    To the embedded server that is all of them. A service comes before the host of a variable, which psycopg does not
    know.
    """
    if embedded.is_address(address):
        with embedded.without_variables():
            yield
    elif re.search(r"\bservice\s*=", address):
        with embedded.without_variables("PGHOST", "PGHOSTADDR"):
            yield
    else:
        yield
