"""Tell how far a light can be seen, given its height and that of the eye; an arithmetic that needs no artifact."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Nautical miles to the horizon, for the square root of a height in metres; refraction is in it.
MILES = 2.08


def score(data: pd.DataFrame, model: None) -> pd.DataFrame:
    """Add the distance from the light to the horizon and that from the horizon to the eye."""
    heights = data[["light_metres", "eye_metres"]].clip(lower=0)
    return pd.DataFrame({"Predictions": MILES * np.sqrt(heights).sum(axis=1)})
