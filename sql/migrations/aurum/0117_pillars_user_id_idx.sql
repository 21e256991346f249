-- depends: 0116_idx_projects_hierarchy
-- transactional: false
-- For the foreign key, row-level security and the order in which they are shown.
CREATE INDEX CONCURRENTLY pillars_user_id_idx ON pillars (user_id, sort_order);
