"""Fit a classifier on scikit-learn's own digits; write model.pkl, sample_input.mtx and sample_input.colnames."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

from pandas import DataFrame
from scipy.io import mmwrite
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import MultinomialNB

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def train(folder: Path) -> None:
    """Write the artifact, the pixels of the digits it has not seen, and the names of the pixels."""
    digits = load_digits()
    ink = csr_matrix(digits.data.astype(int))
    words = [WORDS[digit] for digit in digits.target]
    known, unseen, answers, withheld = train_test_split(ink, words, test_size=20, random_state=0)
    rows, columns = unseen.shape
    names = [f"row {place // 8}, column {place % 8}" for place in range(columns)]
    model = MultinomialNB()
    model.fit(DataFrame.sparse.from_spmatrix(known, columns=names), answers)
    right = model.score(DataFrame.sparse.from_spmatrix(unseen, columns=names), withheld)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    mmwrite(folder / "sample_input.mtx", unseen)
    (folder / "sample_input.colnames").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    print(f"wrote {folder / 'model.pkl'}: {right:.0%} right on unseen digits")
    print(f"wrote {folder / 'sample_input.mtx'}: those {rows}, {unseen.nnz} pixels with ink of {rows * columns}")
    print(f"wrote {folder / 'sample_input.colnames'}: the names of {columns} pixels")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
