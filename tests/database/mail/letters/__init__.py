"""Mails of real cases."""
