"""What each template's model says about an input, worked out from its artifact or by hand."""

from __future__ import annotations

import hmac
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from .. import matrix_market
from ..templates import Answer

IRISES = ["setosa", "versicolor", "virginica"]


def pickled_regression(folder: Path, source: Path) -> pd.DataFrame:
    model = pickle.loads((folder / "model.pkl").read_bytes())
    return pd.DataFrame({"Predictions": model.predict(pd.read_csv(source))})


def pickled_binary(folder: Path, source: Path) -> pd.DataFrame:
    model = pickle.loads((folder / "model.pkl").read_bytes())
    return pd.DataFrame(model.predict_proba(pd.read_csv(source)), columns=["benign", "malignant"])


def joblib_multiclass(folder: Path, source: Path) -> pd.DataFrame:
    model = joblib.load(folder / "model.joblib")
    return pd.DataFrame(model.predict_proba(pd.read_csv(source)), columns=IRISES)


def hooks_by_hand(folder: Path, source: Path) -> pd.DataFrame:
    """The same arithmetic row by row, from the artifact alone."""
    artifact = json.loads((folder / "centroids.json").read_text())
    rows = []
    for line in source.read_text().splitlines()[1:]:
        values = [float(cell.replace(",", ".")) for cell in line.split(";")]
        scale = zip(values, artifact["mean"].values(), artifact["deviation"].values(), strict=True)
        scaled = [(value - mean) / deviation for value, mean, deviation in scale]
        distances = [np.linalg.norm(np.subtract(scaled, artifact["centroids"][label])) for label in IRISES]
        weights = np.exp(-np.square(distances) / 2)
        rows.append([*(0.01 + 0.97 * weights / weights.sum()), min(distances)])
    return pd.DataFrame(rows, columns=[*IRISES, "distance"])


def counted_words(folder: Path, source: Path) -> str:
    return {
        "sample_input.txt": "5 boats\n4 café\n2 late\n",
        "sample_input.json": '[{"rain": 3, "more": 1}, {"wind": 2, "again": 1, "rain": 1}]',
    }[source.name]


def forecast_passengers(folder: Path, source: Path) -> str:
    passengers = {"2026-07-04/09:30": 156.5, "2026-07-06/09:30": 73.0, "2026-11-10/17:00": 0.0}
    return json.dumps([{"trip": trip, "passengers": number} for trip, number in passengers.items()])


def ferry_desk(folder: Path, source: Path) -> Answer:
    answers: dict[str, Answer] = {
        "question.json": "Dogs may come along on a leash; they pay nothing and get a window.",
        "question_streamed.json": "A crossing costs 4 crowns, half of that for children.",
        "questions.csv": pd.DataFrame(
            {
                "Predictions": [
                    "The ferry leaves every full hour, from 6:00 to 22:00.",
                    "On Sundays and holidays the first ferry leaves at 8:00.",
                    "I only know the ferry: ask me about its times, fares, bicycles, dogs or the weather.",
                ]
            }
        ),
    }
    return answers[source.name]


def harbour_stories(folder: Path, source: Path) -> pd.DataFrame:
    stories = [
        "writes the water, on the lamp and does not believe it.",
        "wind, about the table until the story down and sleeps.",
        "When one boat is about the sea does not sleep.",
        "turns, the keeper lights the sea and waits.",
    ]
    return pd.DataFrame({"Predictions": stories})


def priced_trips(folder: Path, source: Path) -> pd.DataFrame:
    """The tariff of values.yaml, worked out by hand."""
    miles = [float(line) for line in source.read_text().splitlines()[1:]]
    prices = [float(math.ceil(4 + 1.25 * (1.609344 * distance))) for distance in miles]
    seals = [hmac.new(b"a-key-for-trying-out", b"%.2f" % price, "sha256").hexdigest()[:12] for price in prices]
    return pd.DataFrame({"Predictions": prices, "signature": seals})


def posted_parcels(folder: Path, source: Path) -> pd.DataFrame:
    """The tariff in custom.py, worked out by hand."""
    return pd.DataFrame({"Predictions": [5.9 + 1.2 + 2.5, 4.9 + 0.2, 7.4 + 9.6, 6.9 + 2.4 + 2.5]})


def lights_at_night(folder: Path, source: Path) -> pd.DataFrame:
    rows = [line.split(",") for line in source.read_text().splitlines()[1:]]
    miles = [sum(2.08 * math.sqrt(float(metres)) for metres in row) for row in rows]
    return pd.DataFrame({"Predictions": miles})


def model_elsewhere(folder: Path, source: Path) -> pd.DataFrame:
    return pickled_regression(folder.parent / "python3_sklearn", source)


def sparse_digits(folder: Path, source: Path) -> pd.DataFrame:
    """The same table with its zeros."""
    model = pickle.loads((folder / "model.pkl").read_bytes())
    labels = [str(label) for label in model.classes_]
    matrix = pd.DataFrame(matrix_market.read(source.read_bytes()).toarray(), columns=model.feature_names_in_)
    return pd.DataFrame(model.predict_proba(matrix), columns=labels)


def transformed_irises(folder: Path, source: Path) -> pd.DataFrame:
    model = pickle.loads((folder / "model.pkl").read_bytes())
    return pd.DataFrame(model.transform(pd.read_csv(source)), columns=model.get_feature_names_out())


EXPECTED: dict[str, Callable[[Path, Path], Answer]] = {
    "flask_extension_httpauth": lights_at_night,
    "proxy_model": model_elsewhere,
    "python3_chat": ferry_desk,
    "python3_hooks": hooks_by_hand,
    "python3_runtime_params": priced_trips,
    "python3_sklearn": pickled_regression,
    "python3_sklearn_binary": pickled_binary,
    "python3_sklearn_multiclass": joblib_multiclass,
    "python3_sparse": sparse_digits,
    "python3_textgen": harbour_stories,
    "python3_transform": transformed_irises,
    "python3_typed_schema": posted_parcels,
    "python3_unstructured": counted_words,
    "python3_unstructured_mlops": forecast_passengers,
}
# Their last digits may differ from those of the runner.
APPROXIMATE = {"flask_extension_httpauth", "python3_hooks", "python3_sparse", "python3_typed_schema"}
