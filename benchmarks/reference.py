"""The reference: the script most people would write, with its usual costs.

pandas reads and writes, Flask serves, the whole file stands in memory.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from flask import Flask, Response, request


def create(model_path: str) -> Flask:
    """Return the Flask application for one pickled model."""
    model = joblib.load(model_path)
    app = Flask("reference")

    @app.post("/predict/")
    def predict() -> Response:
        predictions = _predict(model, BytesIO(request.get_data()))
        is_one_column = len(predictions.columns) == 1
        answer = predictions["Predictions"] if is_one_column else predictions
        text = answer.to_json(orient="records")
        return Response(f'{{"predictions":{text}}}', mimetype="application/json")

    return app


def score(model_path: str, source: str, target: str) -> None:
    """Score a CSV file in one piece."""
    model = joblib.load(Path(model_path))
    _predict(model, source).to_csv(target, index=False)


def _predict(model: Any, source: str | BytesIO) -> pd.DataFrame:
    frame = pd.read_csv(source)
    if hasattr(model, "predict_proba"):
        table: pd.DataFrame = pd.DataFrame(model.predict_proba(frame), columns=model.classes_)
    else:
        table = pd.DataFrame({"Predictions": model.predict(frame)})
    return table


if __name__ == "__main__":
    score(*sys.argv[1:])
