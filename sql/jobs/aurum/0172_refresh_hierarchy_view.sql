-- depends: 0171_jobs
-- Daily, as the document says, while few are there.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-hierarchy-view',
    '15 3 * * *',
    format('SELECT %I.refresh_hierarchy_view()', current_schema()),
    'Brings hierarchy_view up to date.'
);
