"""One table of schema checks: a requirement, a table that holds it, and one that breaks it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCORE = """
import pandas as pd

def score(data, model, **kwargs):
    return pd.DataFrame({"Predictions": range(len(data))})
"""
# What comes in goes out, in sparse columns where one is called so.
TRANSFORM = """
import pandas as pd

def transform(data, model):
    return data.astype(pd.SparseDtype(float, 0.0)) if "sparse" in data else data
"""
METADATA = """\
name: checked
type: inference
targetType: {target}
typeSchema:
  {side}_requirements:
    - field: data_types
      condition: EQUALS
      value: NUM
    - field: number_of_columns
      condition: IN
      value: [1, 2]
    - field: contains_missing
      condition: EQUALS
      value: {never}
    - field: sparse
      condition: EQUALS
      value: {never}
"""
WORDS = "Schema validation found mismatch between {side} dataset and the supplied schema: "
MATRIX = b"%%MatrixMarket matrix coordinate real general\n3 2 2\n1 1 0.5\n3 2 1.5\n"


@dataclass(frozen=True)
class Pair:
    """Two tables for a folder that checks one side, and what is said of the second."""

    name: str
    side: str
    good: bytes
    bad: bytes
    found: str
    bad_type: str = "text/csv"

    @property
    def message(self) -> str:
        """The whole message."""
        return WORDS.format(side=self.side) + self.found


def both(name: str, good: bytes, bad: bytes, found: str) -> list[Pair]:
    """The same pair for what comes in and for what goes out."""
    never = {"input": "FORBIDDEN", "output": "NEVER"}
    return [Pair(name, side, good, bad, found.format(never=word)) for side, word in never.items()]


PAIRS = [
    *both(
        "data_types",
        b"a,b\n1,2\n3,4.5\n5,6\n",
        b"a,b\n1,2\n3,4.5\n5,six\n",
        "data_types EQUALS NUM is required, found CAT in column 'b', row 3",
    ),
    *both(
        "number_of_columns",
        b"a\n1\n",
        b"a,b,c\n1,2,3\n",
        "number_of_columns IN 1, 2 is required, found 3 columns",
    ),
    *both(
        "contains_missing",
        b"a,b\n1,2\n3,4\n",
        b"a,b\n1,2\n3,\n",
        "contains_missing EQUALS {never} is required, found a missing value in column 'b', row 2",
    ),
    Pair(
        "sparse",
        "input",
        b"a,b\n0.5,0\n0,0\n0,1.5\n",
        MATRIX,
        "sparse EQUALS FORBIDDEN is required, found sparse data in column '0'",
        bad_type="text/mtx",
    ),
    Pair(
        "sparse",
        "output",
        b"a,dense\n0.5,0\n0,1.5\n",
        b"a,sparse\n0.5,0\n0,1.5\n",
        "sparse EQUALS NEVER is required, found sparse data in column 'a'",
    ),
]


def plant(folder: Path, side: str) -> Path:
    """Write a folder that declares the requirements of one side: a scorer of inputs, or a transformer."""
    folder.mkdir(exist_ok=True)
    is_input = side == "input"
    (folder / "custom.py").write_text(SCORE if is_input else TRANSFORM)
    text = METADATA.format(
        target="regression" if is_input else "transform", side=side, never="FORBIDDEN" if is_input else "NEVER"
    )
    (folder / "model-metadata.yaml").write_text(text)
    return folder
