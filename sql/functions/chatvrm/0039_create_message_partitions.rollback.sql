DROP FUNCTION create_message_partitions(integer);
DROP FUNCTION create_message_partition(date);
