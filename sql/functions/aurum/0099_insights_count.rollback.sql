DROP TRIGGER insights_count_delete ON insights;
DROP TRIGGER insights_count_update ON insights;
DROP TRIGGER insights_count_insert ON insights;
