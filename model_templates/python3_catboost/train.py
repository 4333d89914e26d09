"""Fit a regression on scikit-learn's own diabetes data; write model.cbm and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

from catboost import CatBoostRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    features, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    features["sex"] = features["sex"].map({1.0: "first", 2.0: "second"})
    known, unseen, answers, withheld = train_test_split(features, progression, test_size=20, random_state=0)
    model = CatBoostRegressor(
        iterations=100, depth=4, cat_features=["sex"], random_seed=0, verbose=False, allow_writing_files=False
    )
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    model.save_model(folder / "model.cbm")
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.cbm'}: R2 {model.score(unseen, withheld):.2f} on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
