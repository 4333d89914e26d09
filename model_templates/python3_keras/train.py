"""Fit a network on scikit-learn's own diabetes data; write model.keras and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    keras.utils.set_random_seed(0)
    features, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    known, unseen, answers, withheld = train_test_split(features, progression, test_size=20, random_state=0)
    scale = keras.layers.Normalization()
    scale.adapt(known.to_numpy("float32"))
    layers = [keras.Input((known.shape[1],)), scale, keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
    network = keras.Sequential(layers)
    network.compile(keras.optimizers.Adam(0.05), "mse")
    network.fit(known.to_numpy("float32"), answers.to_numpy("float32"), epochs=60, verbose=0)

    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / "model.keras")
    score = r2_score(withheld, network.predict(unseen.to_numpy("float32"), verbose=0))
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.keras'}: R2 {score:.2f} on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
