-- depends: 0069_tasks_pillar_id_idx
-- After the backfill, so that it looks nothing up. Not looked at in old rows yet. It locks both tables, which is why
-- each has a file of its own. Deleting an area or a pillar must not fail on what is denormalised.
ALTER TABLE projects ADD CONSTRAINT projects_pillar_id_fkey FOREIGN KEY (pillar_id)
REFERENCES pillars (id) ON DELETE SET NULL NOT VALID;
