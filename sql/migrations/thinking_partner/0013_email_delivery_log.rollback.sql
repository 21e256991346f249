DROP TABLE email_delivery_log;
