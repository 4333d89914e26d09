"""Count the words of a text: input and output are whatever the two sides agree on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom_model_runner import CustomHTTPError

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")

Words = frozenset[str]


def load_model(code_dir: str) -> Words:
    """Read the words that are too common to be counted."""
    return frozenset(Path(code_dir, "common_words.txt").read_text(encoding="utf-8").split())


def score_unstructured(model: Words, data: str | bytes, **kwargs: Any) -> str | tuple[str, dict[str, str]]:
    """Answer text with lines, JSON with JSON, and anything else with its size."""
    if isinstance(data, bytes):
        return f"{len(data)} bytes of {kwargs['mimetype']}\n"
    top = limit(kwargs.get("query") or {})
    if kwargs["mimetype"] == "application/json":
        counts = [dict(most_frequent(text, model, top)) for text in json.loads(data)]
        return json.dumps(counts, ensure_ascii=False), {"mimetype": "application/json"}
    return "".join(f"{count} {word}\n" for word, count in most_frequent(data, model, top))


def limit(query: Mapping[str, str]) -> int:
    """How many words the sender asks for; nonsense is the sender's fault and says so."""
    try:
        return int(query.get("top", 10))
    except ValueError as error:
        raise CustomHTTPError("top must be a whole number", 422) from error


def most_frequent(text: str, common: Words, top: int) -> list[tuple[str, int]]:
    """Words and how often they occur: the most frequent first, equals by the alphabet."""
    counts = Counter(word for word in WORD.findall(text.lower()) if word not in common)
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:top]
