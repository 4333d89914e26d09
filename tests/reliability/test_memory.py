"""A request that asks for more memory than there is."""

from __future__ import annotations

import resource
from pathlib import Path

import psutil

from ..conformance.conftest import serve

SOURCE = """
import numpy, pandas

def score(data, model, **kwargs):
    held = numpy.ones(int(data["bytes"][0]), dtype="uint8")
    return pandas.DataFrame({"Predictions": [float(held[-1])] * len(data)})
"""
LIMIT = 6 << 30


def test_one_request_that_needs_more_memory_than_the_limit_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, before[1]))
    try:
        with serve(tmp_path, "--target-type", "regression") as server:
            pids = {child.pid for child in psutil.Process(server.process.pid).children(recursive=True)}
            assert server.post("/predict/", "bytes\n1000\n").status_code == 200
            refused = server.post("/predict/", f"bytes\n{2 * LIMIT}\n")
            assert refused.status_code in (413, 500)
            assert server.post("/predict/", "bytes\n1000\n").status_code == 200
            assert {child.pid for child in psutil.Process(server.process.pid).children(recursive=True)} == pids
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    print(f"\nmore memory than the limit: {refused.status_code}, and the worker goes on")
