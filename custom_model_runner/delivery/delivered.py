"""Everything that a folder is given from outside, as one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from custom_model_runner.delivery import values
from custom_model_runner.settings import DeliverySettings, ModelSettings


@dataclass(frozen=True)
class Delivered:
    """What was settled before the folder is opened: the variables that user code reads."""

    variables: Mapping[str, str]


def deliver(model: ModelSettings, settings: DeliverySettings, environ: Mapping[str, str]) -> Delivered:
    """Settle what the folder is given; what was asked for and cannot be had is a usage error."""
    return Delivered(variables=values.variables(model.code_dir, settings.runtime_params_file, environ))
