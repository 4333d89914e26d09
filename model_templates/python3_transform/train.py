"""Fit a transformer on scikit-learn's own iris data; write model.pkl and sample_input.csv."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def train(folder: Path) -> None:
    """Write the artifact and the rows it has not seen."""
    known, unseen = train_test_split(load_iris(as_frame=True).data, test_size=15, random_state=0)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(degree=2, include_bias=False))
    model.fit(known)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.pkl'}: {known.shape[1]} columns in, {len(model.get_feature_names_out())} out")
    print(f"wrote {folder / 'sample_input.csv'}: {len(unseen)} rows")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
