"""One file per language: it gives the hooks of a user's file and nothing else."""
