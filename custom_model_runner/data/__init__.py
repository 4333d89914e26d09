"""Values and pure functions: no files, no environment, no HTTP, no user code."""
