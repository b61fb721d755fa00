"""The words of the project as types: events, commands, records, verdicts, errors, statistics; no I/O."""
