"""Make the data files of this folder: invented numbers, the same on every machine."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

COLUMNS = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
PATIENTS, YEARS = 80, 3


def juniors() -> str:
    """Young patients, each measured in three years running, as the python3_sklearn template expects them."""
    source = random.Random(2014)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _ in range(PATIENTS):
        writer.writerows(with_gaps(row, source) for row in visits(source))
    return text.getvalue()


def visits(source: random.Random) -> Iterator[list[float]]:
    """One patient's rows: what makes a person drifts a little from year to year."""
    age, sex = source.randint(19, 25), source.randint(1, 2)
    bmi, pressure = source.gauss(23.5, 3), source.gauss(84, 8)
    cholesterol, hdl = source.gauss(165, 22), source.gauss(53, 9)
    for year in range(YEARS):
        total = cholesterol + source.gauss(0, 8)
        good = max(25.0, hdl + source.gauss(0, 3))
        log_triglycerides = source.gauss(4.3, 0.3)
        yield [
            age + year,
            sex,
            round(bmi + 0.3 * year + source.gauss(0, 0.4), 1),
            round(pressure + source.gauss(0, 3), 2),
            round(total),
            round(0.8 * total - good + source.gauss(20, 4), 1),
            round(good),
            round(total / good, 2),
            round(log_triglycerides, 4),
            round(source.gauss(86, 7)),
        ]


def with_gaps(row: list[float], source: random.Random) -> list[float | str]:
    """Leave out a measurement now and then, never who the patient is."""
    return [*row[:2], *("" if source.random() < 0.03 else value for value in row[2:])]


FILES: dict[str, Callable[[], str]] = {"juniors_3_year_stats_regression.csv": juniors}

if __name__ == "__main__":
    for name, make in FILES.items():
        path = Path(__file__).with_name(name)
        path.write_bytes(make().encode())
        print(f"wrote {path}")
