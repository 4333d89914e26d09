"""Fit a regression on scikit-learn's own diabetes data; write model.pkl and sample_input.csv."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    features, progression = load_diabetes(return_X_y=True, as_frame=True)
    known, unseen, answers, withheld = train_test_split(features, progression, test_size=20, random_state=0)
    model = make_pipeline(SimpleImputer(strategy="median"), GradientBoostingRegressor(random_state=0))
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.pkl'}: R2 {model.score(unseen, withheld):.2f} on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
