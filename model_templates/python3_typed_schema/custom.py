"""Postage by zone and weight. What a parcel must say of itself stands in model-metadata.yaml, not here."""

import pandas as pd

# By the first digit of the postcode, which is why 01067 must not become 1067 on its way here.
ZONES = {"0": 5.9, "1": 4.9, "8": 7.4}
ELSEWHERE = 6.9
PER_KILOGRAM = 0.8
INSURANCE = 2.5


def score(data, model):
    """Return the price of each parcel; no column is missing here, and no cell is empty or of another type."""
    zone = data["postcode"].str[0].map(ZONES).fillna(ELSEWHERE)
    price = zone + PER_KILOGRAM * data["kilograms"] + INSURANCE * data["insured"]
    return pd.DataFrame({"Predictions": price})
