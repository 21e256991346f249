"""Users: the form of their data, what they begin with, and whom a token names."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.othello.world import PASSWORD_HASH, World, begin, propose, say, schedule, sign_up
from tests.people import Person, insert

# Addresses, names, time zones


@pytest.mark.rule("OTH-01", "accepts")
@pytest.mark.parametrize("email", ["a@b.co", "first.last+tag@sub.example.org", "a" * 242 + "@example.org"])
def test_an_address_of_valid_form_is_accepted(db: Person, email: str) -> None:
    with db.as_service():
        user = sign_up(db, "carl", email=email)
    assert db.value("SELECT email FROM users WHERE id = %s", [user.id]) == email


@pytest.mark.rule("OTH-01", "refuses")
@pytest.mark.parametrize(
    "email",
    ["", "a", "a@b", "@b.co", "a@", "a@@b.co", "a b@c.co", "a@b..co", "a@b.co\n", "a" * 243 + "@example.org"],
)
def test_an_address_of_another_form_is_refused(db: Person, world: World, email: str) -> None:
    with db.as_service():
        with db.refused("users_email_check", "23514"):
            sign_up(db, "carl", email=email)
        with db.refused("users_email_check", "23514"):
            db.run("UPDATE users SET email = %s WHERE id = %s", [email, world.ann.id])


@pytest.mark.rule("OTH-01", "accepts")
@pytest.mark.parametrize("username", ["ann", "Ann Ångström", "\u2003x", None])
def test_a_username_is_any_visible_text_or_none(db: Person, username: str | None) -> None:
    with db.as_service():
        user = sign_up(db, "carl", username=username)
    assert db.value("SELECT username FROM users WHERE id = %s", [user.id]) == username


@pytest.mark.rule("OTH-01", "refuses")
@pytest.mark.parametrize("username", ["", " ", "\t\n", "\u00a0\u200b"])
def test_a_blank_username_is_refused(db: Person, world: World, username: str) -> None:
    with db.as_service():
        with db.refused("users_username_check", "23514"):
            sign_up(db, "carl", username=username)
        with db.refused("users_username_check", "23514"):
            db.run("UPDATE users SET username = %s WHERE id = %s", [username, world.ann.id])


@pytest.mark.rule("OTH-01", "accepts")
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", None])
def test_a_timezone_is_a_name_of_the_iana(db: Person, timezone: str | None) -> None:
    with db.as_service():
        user = sign_up(db, "carl", timezone=timezone)
        stored = db.value("SELECT timezone FROM users WHERE id = %s", [user.id])
        db.run("SELECT now() AT TIME ZONE coalesce(timezone, 'UTC') FROM users")
    assert stored == timezone


@pytest.mark.rule("OTH-01", "refuses")
@pytest.mark.parametrize("timezone", ["", "europe/berlin", "Europe/Atlantis", "+02:00", "localtime", "posix/UTC"])
def test_another_timezone_is_refused(db: Person, world: World, timezone: str) -> None:
    with db.as_service():
        with db.refused("users_timezone_fkey", "23503"):
            sign_up(db, "carl", timezone=timezone)
        with db.refused("users_timezone_fkey", "23503"):
            db.run("UPDATE users SET timezone = %s WHERE id = %s", [timezone, world.ann.id])


def test_every_timezone_that_can_be_chosen_can_be_computed_with(db: Person) -> None:
    assert db.value("SELECT count(now() AT TIME ZONE name) FROM timezones") > 400


def test_users_read_what_they_choose_from_and_operators_add_to_it(db: Person, world: World) -> None:
    with db.as_service():
        assert db.value("SELECT count(*) FROM consent_scopes") == 7
        db.run("INSERT INTO consent_scopes VALUES ('travel', 'Trips')")
        db.run("INSERT INTO timezones VALUES ('Mars/Olympus')")
        assert sign_up(db, "carl", timezone="Mars/Olympus")
    with world.ann.acting(db):
        assert db.value("SELECT description FROM consent_scopes WHERE scope = 'travel'") == "Trips"
        assert db.value("SELECT count(*) FROM timezones WHERE name IN ('Mars/Olympus', 'UTC')") == 2
        for table in ("consent_scopes", "timezones"):
            with db.refused(sqlstate="42501"):
                db.run(f"DELETE FROM {table}")


def test_a_user_is_in_utc_and_active_unless_said_otherwise(db: Person) -> None:
    with db.as_service():
        row = db.row("SELECT timezone, is_active, deleted_at FROM users WHERE id = %s", [sign_up(db, "carl").id])
    assert row == ("UTC", True, None)


@pytest.mark.parametrize(
    ("column", "constraint"),
    [
        ("email", "idx_users_email"),
        ("external_id", "idx_users_external_id"),
        ("username", "users_username_key"),
        ("id", "users_pkey"),
    ],
)
def test_a_person_is_registered_once(db: Person, column: str, constraint: str) -> None:
    taken = db.value(f"SELECT {column} FROM users WHERE id = %s", [sign_up(db, "carl", username="carl").id])
    with db.as_service(), db.refused(constraint, "23505"):
        sign_up(db, "dora", **{column: taken})


@pytest.mark.rule("OTH-01", "refuses")
@pytest.mark.rule("OTH-02", "refuses")
@pytest.mark.parametrize("column", ["external_id", "email", "password_hash", "is_active", "created_at", "updated_at"])
def test_what_every_user_has_cannot_be_null(db: Person, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        sign_up(db, "carl", **{column: None})
    assert caught.value.diag.column_name == column


def test_the_id_of_a_user_never_changes(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("users_immutable_check", "23514"):
            db.run("UPDATE users SET id = id + 1000 WHERE id = %s", [world.ann.id])
        assert db.run("UPDATE users SET id = id, full_name = 'Ann' WHERE id = %s", [world.ann.id]) == 1


def test_the_time_of_registration_is_imported_but_never_changed(db: Person) -> None:
    with db.as_service():
        user = sign_up(db, "carl", created_at=OLD)
        db.run("UPDATE users SET created_at = now() WHERE id = %s", [user.id])
        assert db.value("SELECT created_at = %s FROM users WHERE id = %s", [OLD, user.id])


# Passwords

# What the libraries made of a password, with their defaults unless named otherwise.
HASHES = {
    "argon2-cffi": "$argon2id$v=19$m=65536,t=3,p=4$TKcom5JDb9vTBPWwdUrmZg$eqE6NUipOK/f7HxOywRDKc45afBn3Rw6QHCHBVt7TtE",
    "argon2-cffi short": "$argon2id$v=19$m=65536,t=3,p=4$LCs/eu3qflg$5qVcTbOyutDcjfrZ",
    "argon2i": "$argon2i$v=19$m=65536,t=3,p=4$prQWAqAUonTuvZcSwliLMQ$qbkovqm3YLjRUM/+/l7ZlfqEosJcRNYkPzsDpqRbM9w",
    "argon2d": "$argon2d$v=19$m=65536,t=3,p=4$hzAmBMC415rznlMKofR+7w$Q3SkH78tkviufQmItkcquc4Nx3qh7DVpuftqkXazMLU",
    "argon2 1.0": "$argon2i$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
    "bcrypt": "$2b$12$TYHu3FkMLLWCmDVJ3cbL0u1rHFGTtBdZzKL8id9P.eD/KS3JAeMdC",
    "bcrypt 2a": "$2a$12$YhMTT1lYmgyQtv.YOUOKwOxfOg4ecT7siYq83.jhjAvJxgtduyhpS",
    "bcrypt 2y": "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
    "scrypt of crypt": "$7$CU..../....2Q9obwLhin8qvQl6sisAO/$zLxvLFYPM5KAGpCZJUSlO9j165rU./sf1Adr0M4C5A4",
    "passlib scrypt $7$": "$7$E6..../....uzeG0LqXkhLCWOsdY2wNwQ$YRfZqQ0g8xcuo75SpzYcANOluh5uzau3qBDLjQXrsbC",
    "passlib scrypt": "$scrypt$ln=16,r=8,p=1$3Jtz7l3LGQPAuDem1JpzTg$fcHbO5jJ3rkVtcJtRDB9CBKIYXBY5MbxCnFKSqa7SiY",
    "passlib bcrypt_sha256": "$bcrypt-sha256$v=2,t=2b,r=12$INhjaJk6VYPy2ZtXe9hGsO$szT9Xba5EnAqdnseTqKXnbxIb92Be9y",
    "passlib bcrypt_sha256 1": "$bcrypt-sha256$2b,12$fzwR16oGi1RBBY0eQzmR1e$JyDu51X4nFGP/e9C5mb1MDdSDhAPGaq",
    "passlib pbkdf2_sha1": "$pbkdf2$131000$dw7B2LsX4tzbO2dMSWnN.Q$k/dv7gA38Ar7wddkjHTO93.i6UQ",
    "passlib pbkdf2_sha256": "$pbkdf2-sha256$29000$Uwrh3LuXUiqldC5FSOndOw$7KGd.moUVoiu5X596YbITTMqdtwoI2BQBvWWAl8jXMQ",
    "passlib pbkdf2_sha512": "$pbkdf2-sha512$25000$SknJuRcCQEgppfR.b83Zuw$qDLIzezxQUllUnPxnmatT38txEkHGNwCmZizCsdzGFfk"
    "UmfwLyDiPD9dZpN7Gdi7Hrijygh5zjZ6zGXoNbdvYQ",
    "PHC pbkdf2": "$pbkdf2-sha256$i=600000,l=32$c29tZXNhbHQ$KCqt1tmz4kKsPV/KMITLDJ5mfrdX452n6vf1ZbphTOM",
    "django pbkdf2": "pbkdf2_sha256$1000000$XW0eagkPu7nRrFdeG6Q3X9$KCqt1tmz4kKsPV/KMITLDJ5mfrdX452n6vf1ZbphTOM=",
    "django pbkdf2_sha1": "pbkdf2_sha1$1000000$kTqO4g2fyJvhE5TSCvlrr1$31E9eouw+BoQ3PaaMHXO1JicMDM=",
    "django argon2": "argon2$argon2id$v=19$m=102400,t=2,p=8$cjhaa3R5SlFYWVpzOGZQTzAzYUY4OA$OnjWggXpFKQcNrFRDOqwXL5QRvM"
    "INBXN9v3LTtLpdvY",
    "passlib django_argon2": "argon2$argon2i$v=19$m=65536,t=3,p=4$ihFibM1Zaw3hnFOKMYZQKg$l9I048JZqWV0QJtQJp2ODX+kJwBEY"
    "OAKNOFaqRSVAkc",
    "django argon2d 1.0": "argon2$argon2d$m=65536,t=3,p=4$ihFibM1Zaw3hnFOKMYZQKg$l9I048JZqWV0QJtQJp2ODX+kJwBEYOA",
    "django bcrypt_sha256": "bcrypt_sha256$$2b$12$zp76foAMEg7/gKJ9nwO3r.OFFs/C3t7faffQfkN6dmvfQ2HFna0O2",
    "django bcrypt": "bcrypt$$2b$12$sIDDWV1Er35mlM3n/twFheA.5GDLKNUT2TnYP4MOhWHnQIRzDX1ru",
    "django scrypt": "scrypt$16384$9FrDM2XTbvPgGR8WbUtpsV$8$5$ZZn95oTr2gZZLCY3rzfvOaJdLjEouSyeyiSiF9GN+dn0PqgSGf13V7lk"
    "gEYJhrINyxOUMQynqQcBHoJ9OcmYBg==",
    "werkzeug scrypt": "scrypt:32768:8:1$6bjz60gdVUwlYnT3$80da8864953ee77a3fe62ac3cf9036d5a3f82e681211f8b6e886d726f2fa"
    "ce94061b58cd2886dff0816ae03e386c539f949400761432948b1ca032d2d9e9d4b9",
    "werkzeug pbkdf2": "pbkdf2:sha256:1000000$y7CwP16DxKWHoEwN$503c87927fc81aa5537193be245b5a39be9e611aa85ea5ce38ac17"
    "4c06d3b057",
    "werkzeug pbkdf2 sha1": "pbkdf2:sha1:1000000$E6zs7IMQ2cKmGpss$fdbe968324bb2efe78f258af9d11af2a22b2f4a2",
    "werkzeug pbkdf2 sha512": "pbkdf2:sha512:1000$wq0lkygrL2SFVcSX$2034495f3ef057de347301ea473a014758c696267120b26f4569"
    "32a3696579f923fd4502fc5fd60a7442c39afc18c6daf21b2f5ed6025123f5ee85e5c58e5569",
}


@pytest.mark.rule("OTH-02", "accepts")
@pytest.mark.parametrize("library", HASHES)
def test_what_a_password_library_makes_is_accepted(db: Person, library: str) -> None:
    with db.as_service():
        user = sign_up(db, "carl", password_hash=HASHES[library])
        assert db.value("SELECT password_hash FROM users WHERE id = %s", [user.id]) == HASHES[library]


NO_HASHES = [
    *("", " ", "secret", "correct horse battery staple", "P4$$w0rd!", "$2b$12$", "$argon2id$", "pbkdf2:sha256", "$7$"),
    # What begins like a hash.
    "$argon2id$v=19$m=65536,t=3,p=4$secret",
    "$argon2id$v=19$m=65536,t=3,p=4$$",
    "$argon2x$v=19$m=65536,t=3,p=4$TKcom5JDb9vTBPWwdUrmZg$eqE6NUipOK/f7HxOywRDKc45afBn3Rw6QHCHBVt7TtE",
    "$2b$12$mysecretpassword",
    "$2b$12$TYHu3FkMLLWCmDVJ3cbL0u1rHFGTtBdZzKL8id9P.eD/KS3JAeMd",
    "$2b$12$TYHu3FkMLLWCmDVJ3cbL0u1rHFGTtBdZzKL8id9P.eD/KS3JAeMdCC",
    "bcrypt$secret",
    "$bcrypt-sha256$v=2,t=2b,r=12$INhjaJk6VYPy2ZtXe9hGsO$secret",
    "$scrypt$ln=16,r=8,p=1$salt$secret",
    "$pbkdf2-sha256$29000$salt$secret",
    "pbkdf2_sha256$1000$saltsalt$secret",
    "pbkdf2_sha256$$saltsalt$KCqt1tmz4kKsPV/KMITLDJ5mfrdX452n6vf1ZbphTOM=",
    "argon2$secret",
    "scrypt$secret",
    "scrypt:32768:8:1$saltsalt$secret",
    "pbkdf2:sha256:1000$saltsalt$secret",
    "$7$CU..../....2Q9obwLhin8qvQl6sisAO/$secret",
    # What holds a hash.
    f" {PASSWORD_HASH}",
    f"{PASSWORD_HASH} ",
    f"{PASSWORD_HASH}\n",
    f"secret\n{PASSWORD_HASH}",
    f"{PASSWORD_HASH}$secret",
    # Hashes that were not made for passwords, or are broken.
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "$1$JB9t59Bf$yfbYc.7gdS2dEc0HN3Pu4.",
    "md5$LiabzWmjOTN3D6AakAVtSW$6d494ee3c95fd6b11d45f5a690945e35",
    # How Django and shadow files say that there is no password.
    "!zawPKurg1slXaYVUq8EhTbz5IM3hZ8ROhgxQuIDU",
    "*",
]


@pytest.mark.rule("OTH-02", "refuses")
@pytest.mark.parametrize("text", NO_HASHES)
def test_plain_text_is_refused_as_a_password_hash(db: Person, world: World, text: str) -> None:
    with db.as_service():
        with db.refused("users_password_hash_check", "23514") as caught:
            sign_up(db, "carl", password_hash=text)
        assert "carl" not in str(caught.value)
        with db.refused("users_password_hash_check", "23514"):
            db.run("UPDATE users SET password_hash = %s WHERE id = %s", [text, world.ann.id])


@pytest.mark.rule("OTH-02", "refuses")
@pytest.mark.parametrize("library", HASHES)
def test_a_hash_cut_short_or_with_something_around_it_is_refused(db: Person, library: str) -> None:
    whole = HASHES[library]
    with db.as_service():
        parts = whole.split("$")
        cut = [[*parts[:n], part[:2], *parts[n + 1 :]] for n, part in enumerate(parts) if len(part) > 7]
        assert cut
        for text in (f"x{whole}", f"{whole}!", f"{whole}\n", f"{whole}${whole}", *map("$".join, cut)):
            with db.refused("users_password_hash_check", "23514"):
                sign_up(db, "carl", password_hash=text)


@pytest.mark.rule("OTH-02", "accepts")
@pytest.mark.rule("OTH-02", "refuses")
@pytest.mark.parametrize("library", [library for library in HASHES if "bcrypt" in library])
def test_bcrypt_has_four_letters(db: Person, library: str) -> None:
    whole = re.sub("2[aby]", "2?", HASHES[library], count=1)
    with db.as_service():
        for letter in "abxy":
            sign_up(db, letter, password_hash=whole.replace("?", letter))
        for letter in ("c", "", "ab"):
            with db.refused("users_password_hash_check", "23514"):
                sign_up(db, "carl", password_hash=whole.replace("?", letter))


@pytest.mark.rule("OTH-02", "refuses")
def test_no_user_reads_a_password_hash(db: Person, world: World) -> None:
    with db.as_service():
        assert db.value("SELECT password_hash FROM users WHERE id = %s", [world.ann.id]) == PASSWORD_HASH
    for person in (world.ann.acting(db), db.as_anon()):
        with person:
            for sql in ("SELECT id FROM users", "SELECT password_hash FROM users", "UPDATE users SET full_name = 'A'"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)


@pytest.mark.rule("OTH-02", "accepts")
def test_users_read_themselves_without_the_password(db: Person, world: World) -> None:
    with world.ann.acting(db):
        row = db.row("SELECT * FROM users_public")._asdict()
        with db.refused(sqlstate="42501"):
            db.run("UPDATE users_public SET full_name = 'Ann'")
    assert (row["id"], row["email"]) == (world.ann.id, "ann@example.org")
    assert "password_hash" not in row and PASSWORD_HASH not in map(str, row.values())
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT id FROM users_public")


# Consent to begin with

SCOPES = ["communication", "finance", "global", "goal_coaching", "health", "scheduling", "social"]


def tiers(db: Person, user: int) -> list[Any]:
    return db.rows("SELECT scope, tier_level, is_active FROM consent_tiers WHERE user_id = %s ORDER BY scope", [user])


@pytest.mark.rule("OTH-03", "accepts")
def test_a_new_user_is_passive_in_each_of_the_seven_scopes(db: Person) -> None:
    with db.as_service():
        user = sign_up(db, "carl")
    assert tiers(db, user.id) == [(scope, "passive", True) for scope in SCOPES]
    assert db.rows("SELECT id FROM consent_logs WHERE user_id = %s", [user.id]) == []


@pytest.mark.rule("OTH-03", "accepts")
def test_many_users_at_once_each_begin_passive(db: Person, world: World) -> None:
    with db.as_service():
        many = "SELECT n || '@example.com', %s FROM generate_series(1, 100) AS n"
        assert db.run(f"INSERT INTO users (email, password_hash) {many}", [PASSWORD_HASH]) == 100
    counts = db.rows("SELECT count(*) AS all, count(DISTINCT scope) AS scopes FROM consent_tiers GROUP BY user_id")
    assert counts == [(7, 7)] * 102


@pytest.mark.rule("OTH-03", "accepts")
def test_an_operator_adds_a_scope_for_those_who_come(db: Person, world: World) -> None:
    with db.as_service():
        db.run("INSERT INTO consent_scopes (scope, description) VALUES ('travel', 'Trips')")
        user = sign_up(db, "carl")
        insert(db, "consent_tiers", user_id=world.ann.id, scope="travel")
    assert ("travel", "passive", True) in tiers(db, user.id)
    assert len(tiers(db, world.bob.id)) == 7


@pytest.mark.rule("OTH-03", "refuses")
def test_registering_again_by_upsert_gives_no_second_consent(db: Person, world: World) -> None:
    with db.as_service():
        db.run("UPDATE consent_tiers SET tier_level = 'active' WHERE user_id = %s", [world.ann.id])
        db.run(
            "INSERT INTO users (email, password_hash) VALUES ('ann@example.org', %s)"
            " ON CONFLICT (email) DO UPDATE SET full_name = 'Ann'",
            [PASSWORD_HASH],
        )
    assert tiers(db, world.ann.id) == [(scope, "active", True) for scope in SCOPES]


@pytest.mark.rule("OTH-03", "refuses")
def test_a_scope_that_nobody_declared_is_refused(db: Person, world: World) -> None:
    with world.ann.acting(db), db.refused("consent_tiers_scope_fkey", "23503"):
        insert(db, "consent_tiers", user_id=world.ann.id, scope="everything")
    with db.as_service():
        with db.refused("consent_tiers_scope_fkey", "23503"):
            db.run("DELETE FROM consent_scopes WHERE scope = 'health'")
        for scope in ("", "Health", "go-al", "1st"):
            with db.refused("consent_scopes_scope_check", "23514"):
                db.run("INSERT INTO consent_scopes VALUES (%s, 'Odd')", [scope])
        with db.refused("consent_scopes_pkey", "23505"):
            db.run("INSERT INTO consent_scopes VALUES ('health', 'Again')")
        with db.refused(sqlstate="23502"):
            db.run("INSERT INTO consent_scopes VALUES ('travel', NULL)")


# The time of the last change

OLD = "2020-01-01 00:00:00+00"

# Each table with the trigger that the document names for it and a change.
UPDATED_AT = {
    "users": "full_name = 'Ann'",
    "consent_tiers": "settings_data = '{\"quiet\": true}'",
    "conversations": "title = 'Walks'",
    "messages": "content = 'Hello again'",
    "psychological_profiles": "aspirations = '{\"run\": 10}'",
    "agent_activities": "description = 'Now'",
    "interventions": "title = 'More water'",
    "user_preferences": "preference_value = 'dark'",
}


def aged_row(db: Person, world: World, table: str) -> int:
    """Insert a row of Ann's as the service, which imports times, and return its id; it was changed long ago."""
    user, old = world.ann, {"created_at": OLD, "updated_at": OLD}
    with db.as_service():
        match table:
            case "users":
                return sign_up(db, "carl", **old).id
            case "consent_tiers":
                return insert(db, table, user_id=user.id, scope="health", is_active=False, **old)
            case "conversations":
                return begin(db, user, **old)
            case "messages":
                return say(db, begin(db, user), **old)
            case "agent_activities":
                return propose(db, user, **old)
            case "interventions":
                return schedule(db, user, **old)
            case "user_preferences":
                return insert(db, table, user_id=user.id, preference_key="theme", **old)
    return insert(db, table, user_id=user.id, **old)


@pytest.mark.rule("OTH-04", "accepts")
@pytest.mark.parametrize("table", UPDATED_AT)
def test_every_update_moves_updated_at(db: Person, world: World, table: str) -> None:
    row = aged_row(db, world, table)
    for change in (UPDATED_AT[table], "id = id"):
        db.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        db.run(f"UPDATE {table} SET updated_at = %s WHERE id = %s", [OLD, row])
        db.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        with db.as_service():
            assert db.run(f"UPDATE {table} SET {change} WHERE id = %s", [row]) == 1
        assert db.value(f"SELECT updated_at = now() FROM {table} WHERE id = %s", [row]), change


@pytest.mark.rule("OTH-04", "accepts")
@pytest.mark.parametrize("table", UPDATED_AT)
def test_its_trigger_has_the_documents_name(db: Person, table: str) -> None:
    found = db.rows(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass"
        " AND tgfoid = 'platform.update_updated_at_column()'::regprocedure",
        [table],
    )
    assert found == [(f"update_{table}_updated_at",)]


@pytest.mark.rule("OTH-04", "refuses")
@pytest.mark.parametrize("table", UPDATED_AT)
def test_nobody_sets_updated_at_of_a_row_that_is_there(db: Person, world: World, table: str) -> None:
    row = aged_row(db, world, table)
    assert db.value(f"SELECT updated_at = %s FROM {table} WHERE id = %s", [OLD, row])
    with db.as_service():
        db.run(f"UPDATE {table} SET updated_at = '1999-01-01' WHERE id = %s", [row])
    assert db.value(f"SELECT updated_at = now() FROM {table} WHERE id = %s", [row])


# Whom a token names


@pytest.mark.rule("OTH-24", "accepts")
def test_a_token_names_the_user_with_its_external_id(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with user.acting(db):
            assert db.value("SELECT current_user_id()") == user.id
            assert db.value("SELECT id FROM users_public") == user.id


@pytest.mark.rule("OTH-24", "refuses")
def test_a_token_of_nobody_names_nobody(db: Person, world: World) -> None:
    with db.as_user(uuid4()):
        assert db.value("SELECT current_user_id()") is None
        assert db.rows("SELECT id FROM users_public") == []
        assert db.rows("SELECT id FROM consent_tiers") == []
    with world.ann.acting(db):
        for claims in ("", '{"role": "authenticated"}', '{"sub": ""}', '{"sub": null}'):
            db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [claims])
            assert db.value("SELECT current_user_id()") is None
    with db.as_service():
        assert db.value("SELECT current_user_id()") is None
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT current_user_id()")


@pytest.mark.rule("OTH-24", "refuses")
def test_an_inactive_or_deleted_user_is_nobody(db: Person, world: World) -> None:
    with db.as_service():
        db.run("UPDATE users SET is_active = FALSE WHERE id = %s", [world.ann.id])
        db.run("SELECT soft_delete_user(%s)", [world.bob.id])
    for user in (world.ann, world.bob):
        with user.acting(db):
            assert db.value("SELECT current_user_id()") is None
            assert db.rows("SELECT id FROM users_public") == []
            assert db.rows("SELECT id FROM consent_tiers") == []
    with db.as_service():
        db.run("UPDATE users SET is_active = TRUE WHERE id = %s", [world.ann.id])
    with world.ann.acting(db):
        assert db.value("SELECT current_user_id()") == world.ann.id
