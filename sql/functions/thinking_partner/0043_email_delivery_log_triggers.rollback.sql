DROP TRIGGER email_delivery_log_status ON email_delivery_log;
DROP TRIGGER email_delivery_log_immutable ON email_delivery_log;
DROP TRIGGER email_delivery_log_owner ON email_delivery_log;
DROP FUNCTION stamp_delivery();
