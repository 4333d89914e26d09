"""The route of transform models, without a socket: every form of it is tried in tests/conformance."""

from __future__ import annotations

import io
from pathlib import Path

from custom_model_runner import predictor
from custom_model_runner.server.app import create_app
from custom_model_runner.settings import ServerSettings

from ..folders import plant

HOOKS = "def transform(data, model, target):\n    return data + target['y'].sum()\n"


def test_the_parts_of_a_form_are_transformed_into_parts(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"custom.py": HOOKS}), target_type="transform") as loaded:
        client = create_app(loaded, ServerSettings()).test_client()
        form = {"X": (io.BytesIO(b"a\n1\n2\n"), "X.csv"), "y": (io.BytesIO(b"y\n10\n20\n"), "y.csv")}
        answer = client.post("/transform/", data=form)
    assert answer.status_code == 200
    boundary = answer.content_type.removeprefix("multipart/form-data; boundary=")
    assert answer.data.startswith(f"--{boundary}\r\n".encode())
    assert answer.data.endswith(f"\r\n--{boundary}--\r\n".encode())
    file = b'filename="X.transformed"\r\nContent-Type: application/octet-stream\r\n\r\na\r\n31\r\n32\r\n'
    assert file in answer.data
