"""Price deliveries by distance, with a tariff that whoever runs the model chooses."""

from __future__ import annotations

import hashlib
import hmac
import math

import pandas as pd

from custom_model_runner import RuntimeParameters


def transform(data: pd.DataFrame, model: None) -> pd.DataFrame:
    """Put every distance into kilometres."""
    is_miles = RuntimeParameters.get("DISTANCE_UNIT") == "mi"
    return data.assign(distance=data["distance"] * (1.609344 if is_miles else 1.0))


def score(data: pd.DataFrame, model: None) -> pd.DataFrame:
    """Price each trip; with a key, sign the price so that a forged one is noticed."""
    prices = RuntimeParameters.get("BASE_PRICE") + RuntimeParameters.get("PRICE_PER_KM") * data["distance"]
    if RuntimeParameters.get("ROUND_UP"):
        prices = prices.map(math.ceil).astype(float)
    predictions = pd.DataFrame({"Predictions": prices})
    # A parameter without a value and without a default is not there at all when nobody gives values.
    credential = RuntimeParameters.get("SIGNING_KEY") if RuntimeParameters.has("SIGNING_KEY") else None
    if credential is not None:
        predictions["signature"] = [_sign(price, credential["apiToken"]) for price in prices]
    return predictions


def _sign(price: float, key: str) -> str:
    return hmac.new(key.encode(), f"{price:.2f}".encode(), hashlib.sha256).hexdigest()[:12]
