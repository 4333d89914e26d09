"""Commands that look at a folder and tell what is wrong with it."""
