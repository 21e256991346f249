"""pending_suggestions() has the rule of effective_tier() written out; the two never disagree."""

from __future__ import annotations

from itertools import product

import pytest
from psycopg.types.json import Jsonb

from tests.othello.world import World, propose
from tests.people import Person

TIERS = ["passive", "suggestive", "active", "autonomous"]


@pytest.mark.rule("OTH-10", "accepts")
@pytest.mark.rule("OTH-16", "accepts")
@pytest.mark.rule("OTH-16", "refuses")
@pytest.mark.parametrize(
    ("health", "everywhere"), list(product([None, "passive", "active"], [None, "passive", "autonomous"]))
)
def test_what_is_shown_is_what_the_effective_tier_allows(
    db: Person, world: World, health: str | None, everywhere: str | None
) -> None:
    db.run("UPDATE consent_tiers SET is_active = FALSE WHERE user_id = %s", [world.ann.id])
    # What others have, and what has been, counts for nothing.
    db.run("UPDATE consent_tiers SET tier_level = 'autonomous' WHERE user_id = %s OR NOT is_active", [world.bob.id])
    for scope, tier in (("health", health), ("global", everywhere)):
        sql = "UPDATE consent_tiers SET is_active = TRUE, tier_level = %s WHERE user_id = %s AND scope = %s"
        if tier:
            assert db.run(sql, [tier, world.ann.id, scope]) == 1
    rows = {
        propose(db, world.ann, consent_tier_required=required, payload=Jsonb({"scope": scope})): (required, scope)
        for required, scope in product([None, *TIERS], ["health", "social", "global"])
    }
    with world.ann.acting(db):
        allowed = {
            scope: TIERS.index(db.value("SELECT effective_tier(%s, %s)", [world.ann.id, scope]))
            for _, scope in rows.values()
        }
        shown = {row.id for row in db.rows("SELECT id FROM pending_suggestions()")}
    assert allowed == {
        "health": TIERS.index(health or everywhere or "passive"),
        "social": TIERS.index(everywhere or "passive"),
        "global": TIERS.index(everywhere or "passive"),
    }
    assert shown == {
        id for id, (required, scope) in rows.items() if TIERS.index(required or "passive") <= allowed[scope]
    }
