"""Fit a classifier on scikit-learn's own wine data; write model.txt and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

from lightgbm import LGBMClassifier
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    wines = load_wine(as_frame=True)
    known, unseen, answers, withheld = train_test_split(wines.data, wines.target, test_size=20, random_state=0)
    model = LGBMClassifier(n_estimators=30, min_child_samples=5, random_state=0, verbose=-1)
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    model.booster_.save_model(folder / "model.txt")
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.txt'}: {model.score(unseen, withheld):.0%} right on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
