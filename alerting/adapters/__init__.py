"""The outside: event logs, files, mail, links. Each adapter translates foreign errors where they
enter.
"""
