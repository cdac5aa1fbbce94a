"""Records of one test in an event log."""

LOGS = ["local log on SQLite", "local log on PostgreSQL", "Kafka"]
