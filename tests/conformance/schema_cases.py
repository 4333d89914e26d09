"""One table of schema checks: a requirement, a table that holds it, and one that breaks it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOURCE = """
import pandas as pd

def score(data, model, **kwargs):
    return pd.DataFrame({"Predictions": range(len(data))})
"""
METADATA = """\
name: checked
type: inference
targetType: regression
typeSchema:
  input_requirements:
    - field: data_types
      condition: EQUALS
      value: NUM
    - field: number_of_columns
      condition: IN
      value: [1, 2]
    - field: contains_missing
      condition: EQUALS
      value: FORBIDDEN
"""
WORDS = "Schema validation found mismatch between {side} dataset and the supplied schema: "


@dataclass(frozen=True)
class Pair:
    """Two tables, and what is said of the second."""

    name: str
    good: bytes
    bad: bytes
    found: str
    side: str = "input"

    @property
    def message(self) -> str:
        """The whole message."""
        counted = " (rows are counted from 0)" if "row" in self.found else ""
        return WORDS.format(side=self.side) + self.found + counted


PAIRS = [
    Pair(
        "data_types",
        b"a,b\n1,2\n3,4.5\n5,6\n",
        b"a,b\n1,2\n3,4.5\n5,six\n",
        "data_types EQUALS NUM is required, found CAT in column 'b', row 2",
    ),
    Pair(
        "number_of_columns",
        b"a\n1\n",
        b"a,b,c\n1,2,3\n",
        "number_of_columns IN 1, 2 is required, found 3 columns",
    ),
    Pair(
        "contains_missing",
        b"a,b\n1,2\n3,4\n",
        b"a,b\n1,2\n3,\n",
        "contains_missing EQUALS FORBIDDEN is required, found a missing value in column 'b', row 1",
    ),
]


def plant(folder: Path) -> Path:
    """Write the folder that declares the requirements."""
    folder.mkdir(exist_ok=True)
    (folder / "custom.py").write_text(SOURCE)
    (folder / "model-metadata.yaml").write_text(METADATA)
    return folder
