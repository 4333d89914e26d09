"""`model-metadata.yaml`: what the author says of the model."""

from __future__ import annotations

from custom_model_runner.metadata.record import FILE_NAME, Metadata, read

__all__ = ["FILE_NAME", "Metadata", "read"]
