"""Batches from and to storages, on real servers: `make test-cloud`."""
