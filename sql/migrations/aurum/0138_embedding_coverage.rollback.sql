DROP VIEW embedding_coverage;
