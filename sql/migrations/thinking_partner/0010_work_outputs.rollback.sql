DROP TABLE work_outputs;
