"""A password that stands in the wrong place of a stack's file is in no message about that file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.errors import SettingsError
from infra.settings.loader import settings_of

PASSWORD = "hunter2"
URI = f"postgresql://hugo7:{PASSWORD}@db.example:5432/postgres"
KEYWORDS = f"host=db.example user=hugo7 password={PASSWORD}"
NUMBER = 48151623

WRONG: dict[str, dict[str, Any]] = {
    "a connection string over several lines": {"server": {"kind": "external", "dsn": KEYWORDS.replace(" ", "\n")}},
    "a password over several lines": {"server": {"kind": "external", "dsn": f"host=db\npassword\n=\n{PASSWORD}"}},
    "a numeric password": {"server": {"kind": "external", "dsn": "host=db", "password": NUMBER}},
    "a numeric password for another kind": {"server": {"password": NUMBER}},
    "a numeric connection string": {"server": {"kind": "external", "dsn": NUMBER}},
    "a password as a port": {"server": {"port": NUMBER}},
    "a connection string as the server": {"server": URI},
    "a connection string as the kind": {"server": {"kind": URI}},
    "a password as the kind": {"server": {"kind": PASSWORD}},
    "a connection string below `server` as a key": {"server": {URI: None}},
    "keywords below `server` as a key": {"server": {KEYWORDS: 1}},
    "a connection string as another setting": {"server": {"kind": "external", "host": URI}},
    "a password as a setting that there is not": {"server": {"kind": "external", "dsn": "host=db", "host": PASSWORD}},
    "a password as true or false": {"server": {"retain": PASSWORD}},
    "a password in a list": {"server": {"kind": "external", "dsn": ["host=db", f"password={PASSWORD}"]}},
    "a lone password in a list": {"server": {"kind": "external", "dsn": "host=db", "password": [PASSWORD]}},
    "a password in a map": {"server": {"kind": "external", "dsn": {"host": "db", "password": PASSWORD}}},
    "a password as a path": {"server": {"data_root": PASSWORD}},
    "a password as a size": {"server": {"kind": "docker", "memory": PASSWORD}},
    "userinfo without a user": {"server": {"kind": "external", "dsn": f"postgresql://:{PASSWORD}@db/postgres"}},
    "userinfo with a slash": {"server": {"kind": "external", "dsn": f"postgresql://hugo7:a/{PASSWORD}@db/postgres"}},
    "a percent-encoded keyword": {"server": {"kind": "external", "dsn": f"postgresql://a@db/x?pass%77ord={PASSWORD}"}},
    "a percent-encoded equals sign": {
        "server": {"kind": "external", "dsn": f"postgresql://a@db/x?password%3D{PASSWORD}"}
    },
    "a password of the client's key": {"server": {"kind": "external", "dsn": f"host=db sslpassword='{PASSWORD}'"}},
    "a secret of OAuth": {"server": {"kind": "external", "dsn": f"host=db oauth_client_secret={PASSWORD}"}},
    "a connection string as a database": {"databases": [URI]},
    "keywords as a database": {"databases": [{"name": KEYWORDS}]},
    "a connection string as a role": {"databases": [{"name": "a", "owner": URI}]},
    "a connection string as the lifecycle": {"lifecycle": URI},
    "a connection string as a list of databases": {"databases": KEYWORDS},
    "a connection string as the servers settings": {"server": {"settings": KEYWORDS}},
    "a connection string in a server setting": {"server": {"settings": {"primary_conninfo": KEYWORDS}}},
    "a connection string as an extension": {"extensions": [URI, URI]},
    "a connection string as the file's name": {"env_file": KEYWORDS},
    "a connection string as the folder": {"modules": {"directory": URI}},
    "a connection string at the top": {"dsn": URI},
    "a connection string as a setting": {URI: ""},
}


def refusal(settings: dict[str, Any]) -> SettingsError:
    """Return the error for these settings, as Pulumi passes them."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    with pytest.raises(SettingsError) as refused:
        settings_of("dev", "project", {f"project:{name}": text for name, text in texts.items()})
    return refused.value


@pytest.mark.parametrize("settings", WRONG.values(), ids=WRONG.keys())
def test_a_message_about_settings_shows_no_password(settings: dict[str, Any]) -> None:
    """Whatever is wrong, and whatever is beside it, the line names the key and what is allowed, and not the value."""
    error = refusal(settings)
    assert str(error).startswith("Pulumi.dev.yaml: ")
    for shown in (str(error), repr(error), repr(error.problems), repr(error.__cause__), repr(error.__context__)):
        assert PASSWORD not in shown
        assert str(NUMBER) not in shown
        assert "hugo7" not in shown


def test_a_password_in_plain_text_is_refused_though_everything_is_valid() -> None:
    """A password that anybody could read in the file is refused, also where its keyword is percent-encoded."""
    for dsn in (URI, KEYWORDS, f"postgresql://a@db/x?pass%77ord={PASSWORD}", f"host=db\tpassword ='{PASSWORD}'"):
        text = str(refusal({"server": {"kind": "external", "dsn": dsn}}))
        assert "project:server.dsn: holds a password in plain text; name where it is" in text or "\t" in dsn
        assert PASSWORD not in text


def test_what_only_resembles_a_password_is_taken() -> None:
    """Host and port, options with an @, and the place of a password are no password."""
    for dsn in (
        "postgresql://admin@db:5432/postgres?sslmode=verify-full",
        "postgresql://db:5432/postgres?user=admin@tenant",
        "postgresql://a:1,b:2/postgres?target_session_attrs=read-write",
        "host=db passfile=/run/secret user=admin",
    ):
        given = {"project:server": json.dumps({"kind": "external", "dsn": dsn, "password_variable": "PASSWORD"})}
        assert settings_of("dev", "project", given).server.kind == "external"
