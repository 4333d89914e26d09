"""Fit a classifier on scikit-learn's own tumour data; write model.onnx and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    tumours = load_breast_cancer(as_frame=True)
    diagnoses = tumours.target.map(dict(enumerate(map(str, tumours.target_names))))
    known, unseen, answers, withheld = train_test_split(tumours.data, diagnoses, test_size=20, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(known, answers)

    folder.mkdir(parents=True, exist_ok=True)
    graph = to_onnx(model, known.to_numpy("float32"), options={"zipmap": False})
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.onnx'}: {model.score(unseen, withheld):.0%} right on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
