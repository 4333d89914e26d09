"""One file per framework: how its artifacts are opened and how its models score a table."""
