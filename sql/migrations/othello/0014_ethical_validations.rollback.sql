DROP TABLE ethical_validations;
DROP TYPE validation_result;
