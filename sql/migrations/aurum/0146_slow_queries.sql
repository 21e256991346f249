-- depends: 0145_data_quality_report
-- What the weekly report found. Texts of statements may hold what people wrote: operators only.
CREATE TABLE slow_queries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    reported_at timestamptz NOT NULL DEFAULT now(),
    query text NOT NULL,
    calls bigint NOT NULL,
    mean_exec_ms double precision NOT NULL,
    total_exec_ms double precision NOT NULL,
    rows bigint NOT NULL,
    CONSTRAINT slow_queries_pkey PRIMARY KEY (id)
);
ALTER TABLE slow_queries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON slow_queries FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON SEQUENCE slow_queries_id_seq FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX slow_queries_reported_at_idx ON slow_queries (reported_at DESC);

COMMENT ON TABLE slow_queries IS 'The statements that took most time, as slow_query_report() found them.';
