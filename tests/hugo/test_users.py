"""Users: form of the data, and who may change what."""

from __future__ import annotations

import pytest

from tests.hugo.conftest import World
from tests.people import Person


@pytest.mark.rule("HUGO-01", "accepts")
@pytest.mark.parametrize("email", ["a@b.co", "first.last+tag@sub.example.org", "ümlaut@exämple.de", "a" * 242 + "@example.org"])
def test_email_accepts(db: Person, email: str) -> None:
    assert db.value(
        "INSERT INTO users (oriva_user_id, email) VALUES (gen_random_uuid(), %s) RETURNING email", [email]
    ) == email


@pytest.mark.rule("HUGO-01", "refuses")
@pytest.mark.parametrize(
    "email",
    ["", "a", "a@b", "@b.co", "a@@b.co", "a@b@c.co", "a b@c.co", "a@b..co", "a@.co", "a@b.co.", "a@b.co\n", "a" * 243 + "@example.org"],
)
def test_email_refuses(db: Person, email: str) -> None:
    with db.refused("users_email_check"):
        db.run("INSERT INTO users (oriva_user_id, email) VALUES (gen_random_uuid(), %s)", [email])


@pytest.mark.rule("HUGO-05", "accepts")
def test_token_for_either_id(db: Person, world: World) -> None:
    oriva = db.value("SELECT oriva_user_id FROM users WHERE id = %s", [world.ann])
    for token in (world.ann, oriva):
        with db.as_user(token):
            assert db.value("SELECT current_user_id()") == world.ann
            assert db.value("SELECT email FROM users") == "ann@example.org"
