"""The batch shell: a file in, a file out."""
