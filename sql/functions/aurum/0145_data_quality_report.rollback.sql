DROP FUNCTION data_quality_report();
