"""Real services for the tests, started here and gone with the test run: a Kafka broker, PostgreSQL,
an SMTP server.
"""
