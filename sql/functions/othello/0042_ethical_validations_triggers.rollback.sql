DROP TRIGGER ethical_validations_order ON ethical_validations;
DROP FUNCTION order_validations();
