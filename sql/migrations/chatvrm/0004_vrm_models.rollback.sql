DROP TABLE vrm_models;
