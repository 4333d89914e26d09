"""Forecast the passengers of ferry trips, and report what was asked and answered."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd

from custom_model_runner import CustomHTTPError

Coefficients = dict[str, float]


def load_model(code_dir: str) -> Coefficients:
    """Read how much each feature counts."""
    coefficients: Coefficients = json.loads(Path(code_dir, "coefficients.json").read_text(encoding="utf-8"))
    return coefficients


def score_unstructured(model: Coefficients, data: str, mlops: Any = None, **kwargs: Any) -> tuple[str, dict[str, str]]:
    """Answer a list of trips with a list of forecasts."""
    start = time.perf_counter()
    names, features = read(data, model)
    passengers = forecast(features, model)
    if mlops is not None:
        # There only with --monitor-embedded. The name of a trip will tell later which forecast was right.
        milliseconds = (time.perf_counter() - start) * 1000
        mlops.report_deployment_stats(len(passengers), milliseconds)
        mlops.report_predictions_data(features_df=features, predictions=passengers, association_ids=names)
    answer = [{"trip": name, "passengers": number} for name, number in zip(names, passengers, strict=True)]
    return json.dumps(answer), {"mimetype": "application/json"}


def read(data: str, model: Coefficients) -> tuple[list[str], pd.DataFrame]:
    """Return the names of the trips and the features of each; anything else is the sender's fault."""
    wanted = [name for name in model if name != "always"]
    try:
        trips = json.loads(data)
        return [trip["trip"] for trip in trips], pd.DataFrame(
            [[trip[name] for name in wanted] for trip in trips], columns=wanted
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CustomHTTPError(f"expected a list of trips, each with trip, {', '.join(wanted)}", 422) from error


def forecast(features: pd.DataFrame, model: Coefficients) -> list[float]:
    """Return whole passengers, and never fewer than none."""
    weighted = sum(features[name] * weight for name, weight in model.items() if name != "always")
    return [round(max(0.0, number), 1) for number in (weighted + model["always"]).tolist()]
