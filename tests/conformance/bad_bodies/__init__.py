"""Bodies that nobody should have to expect, for every format: what each of them is, and what it deserves."""
