"""Scheduled jobs: those that are declared, pg_cron, crontab lines, running one.

Uses: history, files, postgres.
"""
