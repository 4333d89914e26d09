"""Named parts as the body of an answer, in the form in which requests send them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartEncoder, Preamble

from custom_model_runner.data.transform_parts import Part


def answer(parts: Iterable[Part]) -> Response:
    """Return the parts as multipart/form-data; files are octet streams under the names of their parts."""
    # Random, so that no content can hold it.
    boundary = uuid.uuid4().hex
    encoder = MultipartEncoder(boundary.encode())
    pieces = [encoder.send_event(Preamble(data=b""))]
    for part in parts:
        pieces += [encoder.send_event(_head(part)), encoder.send_event(Data(data=part.content, more_data=False))]
    pieces.append(encoder.send_event(Epilogue(data=b"")))
    body = b"".join(pieces).removeprefix(b"\r\n")
    return Response(body, content_type=f"multipart/form-data; boundary={boundary}")


def _head(part: Part) -> Field | File:
    if not part.is_file:
        return Field(name=part.name, headers=Headers())
    return File(name=part.name, filename=part.name, headers=Headers({"Content-Type": "application/octet-stream"}))
