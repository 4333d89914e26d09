"""Real artifacts, scored in batch and over HTTP: what the framework itself says, on the labels that were given."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from custom_model_runner import plugins

from .runs import DRUM, make, run, serve
from .table import INEXACT, TARGETS, Case, cases_of

Columns = Mapping[str, Sequence[float]]
CSV = {"Content-Type": "text/csv"}

# Beside the first rows alone, other numbers of rows in a call may change the order of additions.
FEW_ROWS = 7
TOLERANCE = 1e-6

# Libraries that one of these libraries imports by itself.
BACKENDS: Mapping[str, frozenset[str]] = {"keras": frozenset({"torch"})}

KEEP = "\n\ndef post_process(predictions, model):\n    return predictions\n"
# Makes the interpreter tell on standard error what it imports, one line each: times, then a name after the last bar.
TELL_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}


@dataclass(frozen=True)
class Made:
    """A folder that a maker wrote, apart from what it told about it."""

    case: Case
    folder: Path
    input: Path
    labels: list[str]
    columns: list[str]
    rows: list[list[float]]

    @property
    def options(self) -> tuple[str, ...]:
        """The target as a user gives it; binary labels stand as (negative, positive)."""
        kind = ("--target-type", self.case.target)
        if self.case.target == "binary":
            negative, positive = self.labels
            return (*kind, "--negative-class-label", negative, "--positive-class-label", positive)
        return (*kind, "--class-labels", *self.labels) if self.case.target == "multiclass" else kind

    @property
    def expected(self) -> Columns:
        return by_name(self.columns, self.rows)


def by_name(names: Sequence[str], rows: Sequence[Sequence[float]]) -> Columns:
    return {name: [row[position] for row in rows] for position, name in enumerate(names)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try the cases of the chosen framework."""
    framework = metafunc.config.getoption("--framework", None)
    if "made" in metafunc.fixturenames:
        if framework is None:
            raise pytest.UsageError(f"choose one with --framework: {', '.join(plugins.FRAMEWORKS)}")
        targets = ("binary",) if "hooked" in metafunc.fixturenames else TARGETS
        cases = [case for case in cases_of(framework) if case.target in targets]
        metafunc.parametrize("made", cases, indirect=True, scope="module", ids=str)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of one case, with nothing in it but the artifact and what the artifact needs."""
    case: Case = request.param
    folder = tmp_path_factory.mktemp("made") / "code"
    folder.mkdir()
    make(case, folder)
    told = folder.with_name("told")
    told.mkdir()
    for name in ("input.csv", "expected.json", "labels.json"):
        shutil.move(folder / name, told / name)
    expected = json.loads((told / "expected.json").read_text())
    labels = json.loads((told / "labels.json").read_text())
    return Made(case, folder, told / "input.csv", labels, expected["columns"], expected["values"])


@pytest.fixture(scope="module")
def address(made: Made) -> Iterator[str]:
    """The folder of one case, served."""
    with serve(made.case.framework, made.folder, made.folder.with_name("log"), *made.options) as found:
        yield found


@pytest.fixture(scope="module")
def scored(made: Made) -> tuple[Columns, str]:
    """The folder of one case, scored in batch, and what was imported for it."""
    return score(made, made.folder, TELL_IMPORTS)


@pytest.fixture
def hooked(made: Made, tmp_path: Path) -> Path:
    """The folder of a binary case, with a hook that returns what it is given."""
    folder = shutil.copytree(made.folder, tmp_path / "code")
    with (folder / "custom.py").open("a", encoding="utf-8") as user_file:
        user_file.write(KEEP)
    return folder


def score(made: Made, folder: Path, env: Mapping[str, str] | None = None) -> tuple[Columns, str]:
    """Run `drum score` and return the columns it writes, and what it tells on standard error."""
    words = (DRUM, "score", "--code-dir", folder, "--input", made.input, *made.options)
    done = run(made.case.framework, *words, env=env)
    header, *lines = csv.reader(io.StringIO(done.stdout))
    return by_name(header, [list(map(float, line)) for line in lines]), done.stderr


def ask(address: str, **body: Any) -> Columns:
    response = requests.post(f"{address}/predict/", timeout=60, **body)
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()["predictions"]
    if isinstance(found[0], dict):
        return {name: [row[name] for row in found] for name in found[0]}
    return {"Predictions": found}


def assert_same(made: Made, found: Columns) -> None:
    """Compare by column name: exactly, unless the framework itself does not repeat its bits."""
    expected: Any = made.expected
    if made.case.framework in INEXACT:
        expected = {name: pytest.approx(values, rel=TOLERANCE) for name, values in expected.items()}
    assert found == expected


def test_the_expectations_are_worth_a_test(made: Made) -> None:
    assert len(made.rows) > FEW_ROWS
    assert made.columns == (made.labels or ["Predictions"])
    assert all(len(set(values)) > 1 for values in made.expected.values())


def test_drum_score_says_what_the_framework_says(made: Made, scored: tuple[Columns, str]) -> None:
    assert_same(made, scored[0])


def test_a_raw_body_gets_what_the_framework_says(made: Made, address: str) -> None:
    assert_same(made, ask(address, data=made.input.read_bytes(), headers=CSV))


def test_a_multipart_body_gets_what_the_framework_says(made: Made, address: str) -> None:
    assert_same(made, ask(address, files={"X": ("input.csv", made.input.read_bytes())}))


def test_a_few_rows_get_what_they_get_among_many(made: Made, address: str) -> None:
    lines = list(csv.reader(io.StringIO(made.input.read_text(encoding="utf-8"), newline="")))[: FEW_ROWS + 1]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    found = ask(address, data=text.getvalue().encode(), headers=CSV)
    few = by_name(made.columns, made.rows[:FEW_ROWS])
    assert found == {name: pytest.approx(values, rel=TOLERANCE) for name, values in few.items()}


def test_the_server_names_framework_and_target(made: Made, address: str) -> None:
    body = requests.get(f"{address}/info/", timeout=60).json()
    assert (body["predictor"], body["targetType"]) == (made.case.framework, made.case.target)


def test_scoring_imports_no_other_framework(made: Made, scored: tuple[Columns, str]) -> None:
    imported = {line.rpartition("|")[2].strip() for line in scored[1].splitlines()}
    assert {"pandas", plugins.FRAMEWORKS[made.case.framework].packages[0]} <= imported
    allowed = {made.case.framework, "scikit-learn"}
    others = {name for key, line in plugins.FRAMEWORKS.items() if key not in allowed for name in line.packages}
    assert imported & (others - BACKENDS.get(made.case.framework, frozenset())) == set()


def test_a_post_process_hook_leaves_each_probability_on_its_label(made: Made, hooked: Path) -> None:
    assert_same(made, score(made, hooked)[0])
