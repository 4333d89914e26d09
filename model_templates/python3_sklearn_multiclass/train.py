"""Fit a classifier on scikit-learn's own iris data; write model.joblib and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    irises = load_iris(as_frame=True)
    species = irises.target.map(dict(enumerate(map(str, irises.target_names))))
    known, unseen, answers, withheld = train_test_split(
        irises.data, species, test_size=15, stratify=species, random_state=0
    )
    model = RandomForestClassifier(n_estimators=30, random_state=0)
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib", compress=3)
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.joblib'}: {model.score(unseen, withheld):.0%} right on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
