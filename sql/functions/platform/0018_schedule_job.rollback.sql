DROP FUNCTION schedule_job();
