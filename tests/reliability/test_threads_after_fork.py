"""Models of scikit-learn with two threads each, shared by forked workers: none hangs under load."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from ..conformance.conftest import serve

MODELS: dict[str, Callable[[], Any]] = {
    "HistGradientBoosting": lambda: HistGradientBoostingRegressor(max_iter=20),
    "RandomForest": lambda: RandomForestRegressor(n_estimators=20, n_jobs=2),
}
CLIENTS = 8
REQUESTS = 25


@pytest.mark.parametrize("name", MODELS)
def test_a_shared_model_with_two_threads_answers_under_load(tmp_path: Path, name: str) -> None:
    table = np.random.default_rng(0).normal(size=(2000, 4))
    model = MODELS[name]().fit(table, table.sum(axis=1))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    rows = table[:500]
    body = "a,b,c,d\n" + "".join(",".join(map(repr, row.tolist())) + "\n" for row in rows)
    expected = pytest.approx(model.predict(rows).tolist(), rel=1e-9)
    words = ("--target-type", "regression", "--max-workers", "2", "--logging-level", "info")
    with serve(tmp_path, *words, env={"OMP_NUM_THREADS": "2"}) as server:

        def ask(_: int) -> None:
            with requests.Session() as session:
                session.trust_env = False
                for _ in range(REQUESTS):
                    answer = session.post(f"http://127.0.0.1:{server.port}/predict/", data=body, timeout=60)
                    assert answer.json()["predictions"] == expected

        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(ask, range(CLIENTS)))
        log = server.log.read_text()
    assert "is not shared by workers" not in log
    print(f"\n{name}, 2 threads in each of 2 workers that share it: {CLIENTS * REQUESTS} requests answered")
