"""Fit a classifier on scikit-learn's own tumour data; write model.json and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    tumours = load_breast_cancer(as_frame=True)
    # The numbers of the labels: 0 is malignant there, and must become 1 to be the positive one.
    is_malignant = 1 - tumours.target
    known, unseen, answers, withheld = train_test_split(tumours.data, is_malignant, test_size=20, random_state=0)
    model = XGBClassifier(n_estimators=50, max_depth=3, random_state=0)
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    model.save_model(folder / "model.json")
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.json'}: {model.score(unseen, withheld):.0%} right on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
