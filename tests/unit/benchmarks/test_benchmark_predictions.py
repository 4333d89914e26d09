"""The floor and the reference do the same work, and the check of it can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from werkzeug.test import Client

from benchmarks import agreement, floor, models, reference
from benchmarks.models import BenchModel


@pytest.fixture(scope="module", params=["reg", "bin"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BenchModel:
    return models.build(request.param, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("rows", [1, 100, 1_000])
def test_both_servers_predict_the_same(model: BenchModel, tmp_path: Path, rows: int) -> None:
    body = models.write_rows(tmp_path / "rows.csv", rows).read_bytes()
    predictions = {}
    clients = {
        "floor": Client(floor.create(str(model.artifact))),
        "reference": Client(reference.create(str(model.artifact))),
    }
    for name, client in clients.items():
        answer = client.post("/predict/", data=body, content_type="text/csv")
        assert answer.status_code == 200
        predictions[name] = agreement.from_json(answer.get_data())
    agreement.check(predictions, rows=rows, what=model.name)


def test_both_scripts_predict_the_same(model: BenchModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "BLOCK_BYTES", 50_000)
    source = models.write_rows(tmp_path / "rows.csv", 1_000)
    scripts: dict[str, Callable[[str, str, str], None]] = {"floor": floor.score, "reference": reference.score}
    predictions = {}
    for name, score in scripts.items():
        score(str(model.artifact), str(source), str(tmp_path / name))
        predictions[name] = agreement.from_file(tmp_path / name)
    agreement.check(predictions, rows=1_000, what=model.name)


def test_the_file_has_the_columns_the_models_know_and_is_the_same_each_time(tmp_path: Path) -> None:
    text = models.write_rows(tmp_path / "a.csv", 2).read_text()
    assert text.splitlines()[0] == ",".join(models.COLUMNS)
    assert len(text.splitlines()) == 3
    assert text == models.write_rows(tmp_path / "b.csv", 2).read_text()


def test_a_missing_row_is_a_disagreement() -> None:
    with pytest.raises(agreement.Disagreement, match="drum gave 1 predictions for 2 rows"):
        agreement.check({"floor": np.ones(2), "drum": np.ones(1)}, rows=2, what="reg")


def test_another_value_is_a_disagreement() -> None:
    with pytest.raises(agreement.Disagreement, match=r"drum and floor differ by up to 0\.001"):
        agreement.check({"floor": np.ones(2), "drum": np.array([1.0, 1.001])}, rows=2, what="reg")


def test_digits_beyond_the_tenth_decimal_do_not_matter() -> None:
    exact = np.array([1 / 3, 2 / 3])
    agreement.check({"floor": exact, "reference": exact.round(10)}, rows=2, what="reg")


def test_two_classes_are_compared_by_name_not_by_order(tmp_path: Path) -> None:
    body = json.dumps({"predictions": [{"yes": 0.25, "no": 0.75}, {"no": 0.5, "yes": 0.5}]}).encode()
    (tmp_path / "out.csv").write_text("yes,no\n0.25,0.75\n0.5,0.5\n")
    assert agreement.from_json(body).tolist() == agreement.from_file(tmp_path / "out.csv").tolist() == [0.25, 0.5]
