"""What a model can predict."""

from __future__ import annotations

from enum import Enum


class TargetType(str, Enum):
    """The kind of a model's target; the value is the word used in flags, variables and metadata."""

    BINARY = "binary"
    REGRESSION = "regression"
    ANOMALY = "anomaly"
    UNSTRUCTURED = "unstructured"
    MULTICLASS = "multiclass"
    TRANSFORM = "transform"
    TEXT_GENERATION = "textgeneration"
    GEO_POINT = "geopoint"
    VECTOR_DATABASE = "vectordatabase"
    AGENTIC_WORKFLOW = "agenticworkflow"
    MULTILABEL = "multilabel"

    def __str__(self) -> str:
        return self.value


CLASSIFICATION = frozenset({TargetType.BINARY, TargetType.MULTICLASS, TargetType.MULTILABEL})
NUMERIC = frozenset({TargetType.REGRESSION, TargetType.ANOMALY})
# Kinds whose prediction column carries the target's own name.
NAMED = frozenset({TargetType.TEXT_GENERATION, TargetType.VECTOR_DATABASE, TargetType.AGENTIC_WORKFLOW})
