"""Continue a prompt with words that follow one another in corpus.txt: a Markov chain, and nothing more."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

SHORTEST, LONGEST = 8, 40

Followers = dict[str, list[str]]


def load_model(code_dir: str) -> Followers:
    """Note which words follow a word, as often as they do; those under "" start a sentence."""
    words = Path(code_dir, "corpus.txt").read_text(encoding="utf-8").split()
    followers: Followers = {"": [words[0]]}
    for word, follower in pairwise(words):
        followers.setdefault(word, []).append(follower)
        if word.endswith("."):
            followers[""].append(follower)
    return followers


def score(data: pd.DataFrame, model: Followers, **kwargs: Any) -> pd.DataFrame:
    """Answer each prompt; the only column is the target."""
    prompts = data["promptText"].fillna("").astype(str)
    return pd.DataFrame({"completion": [complete(prompt, model) for prompt in prompts]})


def complete(prompt: str, model: Followers) -> str:
    """Go on from the prompt's last word, or with a fresh sentence where the corpus lacks that word."""
    last = prompt.split()[-1:]
    word = last[0] if last and last[0] in model else ""
    words: list[str] = []
    while len(words) < LONGEST and not (len(words) >= SHORTEST and word.endswith(".")):
        choices = model.get(word, model[""])
        word = choices[throw(prompt, len(words)) % len(choices)]
        words.append(word)
    return " ".join(words)


def throw(prompt: str, step: int) -> int:
    """A number that looks random and is the same every time, on every machine."""
    return int.from_bytes(hashlib.sha256(f"{step} {prompt}".encode()).digest()[:4], "big")
