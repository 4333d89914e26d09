"""A binary model in a folder of its own, scored as a user's is, with a hook between or without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import custom_model_runner
from custom_model_runner import Payload

# The positive one comes first by the alphabet, so that no sorting puts it in its place by chance.
ZEBRA_ANT = ("zebra", "ant")
KEEP = "def post_process(predictions, model):\n    return predictions[predictions.columns[::-1]]\n"


def assert_sides(
    folder: Path,
    table: pd.DataFrame,
    positive: object,
    *,
    has_hook: bool,
    labels: tuple[str, str] = ZEBRA_ANT,
) -> None:
    """Compare what stands under each label with the probability of the positive one; labels are (negative, positive).

    The hook gives its columns back in another order.
    """
    if has_hook:
        (folder / "custom.py").write_text(KEEP)
    negative_label, positive_label = labels
    kind = {"target_type": "binary", "negative_class_label": negative_label, "positive_class_label": positive_label}
    payload = Payload(table.to_csv(index=False).encode(), "text/csv")
    with custom_model_runner.load(folder, **kind) as predictor:
        frame = predictor.score(payload).frame()
    expected = np.asarray(positive, dtype=float).reshape(-1)
    assert len(set(expected)) > 1
    assert not np.allclose(expected, 1 - expected, atol=1e-3)
    np.testing.assert_allclose(frame[positive_label], expected, rtol=1e-6)
    np.testing.assert_allclose(frame[negative_label], 1 - expected, rtol=1e-6, atol=1e-7)
