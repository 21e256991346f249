DROP VIEW my_hierarchy;
