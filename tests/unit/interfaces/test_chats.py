"""The hooks of folders that chat: what they get, what they may return, what else such a folder can do."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner import predictor
from custom_model_runner.data.chat import Said, asked
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import (
    ContractError,
    CustomHTTPError,
    LoadError,
    NotOffered,
    Unsupported,
    UsageError,
    UserCodeError,
)
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

from ..folders import pickled, plant

PREAMBLE = """
COMPLETION = {"object": "chat.completion", "choices": []}
CHUNK = {"object": "chat.completion.chunk", "choices": []}
closed = []

class Written:
    def __init__(self, object, **fields):
        self.object = object
        self.fields = {"object": object, **fields}

class WithToDict(Written):
    def to_dict(self):
        return self.fields

class WithModelDump(Written):
    def model_dump(self, mode="python"):
        return {**self.fields, "mode": mode}

class ChatCompletionChunk(WithToDict):
    pass

class Stream:
    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        yield from self.items

    def close(self):
        closed.append("stream")
"""
TABLE = Payload(b"a\n1\n", "text/csv")
ARTIFACT = pickled(LinearRegression().fit(pd.DataFrame({"a": [0.0, 1.0]}), [1.0, 2.0]))
CHAT = "def chat(params, model): return COMPLETION"


def load(folder: Path, hooks: str, files: dict[str, str | bytes] | None = None, **options: Any) -> Predictor:
    plant(folder, {"custom.py": dedent(PREAMBLE) + dedent(hooks), **(files or {})})
    return predictor.load(folder, **options)


def converse(folder: Path, hooks: str, params: dict[str, Any] | None = None) -> Any:
    """Return the body of a completion, or a list of those of the chunks."""
    with load(folder, hooks, target_type="regression") as loaded:
        said = loaded.converse(asked(params or {}, {"x-user": "me"}))
        return said.body if isinstance(said, Said) else [chunk.body for chunk in said]


def returning(expression: str) -> str:
    return f"def chat(params, model): return {expression}"


# What the hook gets.


def test_the_hook_gets_the_parameters_as_they_came_and_the_model(tmp_path: Path) -> None:
    hooks = """
        def load_model(code_dir):
            return "the model"

        def chat(params, model):
            return {**COMPLETION, "params": params, "model": model}
    """
    params = {"messages": [{"content": "x"}], "datarobot_association_id": "a"}
    assert converse(tmp_path, hooks, params) == {
        "object": "chat.completion",
        "choices": [],
        "params": params,
        "model": "the model",
    }


@pytest.mark.parametrize("parameter", ["headers", "headers=None", "*, headers", "**headers"])
def test_the_hook_gets_the_headers_if_it_takes_them(tmp_path: Path, parameter: str) -> None:
    hooks = f"def chat(params, model, {parameter}): return {{**COMPLETION, 'headers': dict(headers)}}"
    found = converse(tmp_path, hooks)["headers"]
    assert found == ({"headers": {"x-user": "me"}} if parameter.startswith("**") else {"x-user": "me"})


@pytest.mark.parametrize("signature", ["()", "(params)", "(params, model, sender)", "(*, params, model)"])
def test_a_hook_that_cannot_take_its_arguments_is_a_load_error(tmp_path: Path, signature: str) -> None:
    with pytest.raises(LoadError, match="The chat hook has the signature"):
        load(tmp_path, f"def chat{signature}: ...")


@pytest.mark.parametrize("body", ["return COMPLETION", "yield CHUNK"])
def test_an_async_hook_is_a_load_error(tmp_path: Path, body: str) -> None:
    with pytest.raises(LoadError, match="The chat hook is an async function"):
        load(tmp_path, f"async def chat(params, model): {body}")


# What it may return.


@pytest.mark.parametrize(
    ("expression", "more"),
    [
        ("COMPLETION", {"choices": []}),
        ("WithToDict('chat.completion', id='1')", {"id": "1"}),
        ("WithModelDump('chat.completion', id='1')", {"id": "1", "mode": "json"}),
    ],
)
def test_a_completion_is_a_dict_or_an_object_that_can_be_one(
    tmp_path: Path, expression: str, more: dict[str, Any]
) -> None:
    assert converse(tmp_path, returning(expression)) == {"object": "chat.completion", **more}


@pytest.mark.parametrize(
    "expression",
    [
        "[CHUNK, CHUNK]",
        "(chunk for chunk in [CHUNK, CHUNK])",
        "Stream(CHUNK, CHUNK)",
        "[WithToDict('chat.completion.chunk', choices=[])] * 2",
    ],
)
def test_anything_iterable_over_chunks_is_a_stream(tmp_path: Path, expression: str) -> None:
    assert converse(tmp_path, returning(expression)) == [{"object": "chat.completion.chunk", "choices": []}] * 2


@pytest.mark.parametrize("chunk", ["ChatCompletionChunk('')", "ChatCompletionChunk(None)", "{'object': ''}"])
def test_the_first_chunk_need_not_say_what_it_is(tmp_path: Path, chunk: str) -> None:
    found = converse(tmp_path, returning(f"[{chunk}, CHUNK]"))
    assert [one["object"] or "" for one in found] == ["", "chat.completion.chunk"]


def test_a_stream_without_chunks_is_empty(tmp_path: Path) -> None:
    assert converse(tmp_path, returning("iter(())")) == []


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("None", "NoneType"),
        ("'a text'", "str"),
        ("b'a text'", "bytes"),
        ("{}", "dict"),
        ("{'object': 'chat.completion.chunk'}", "dict"),
        ("17", "int"),
        ("[COMPLETION]", "list of dict"),
        ("['text']", "list of str"),
        ("(COMPLETION, 200)", "tuple of dict"),
    ],
)
def test_anything_else_breaks_the_contract_in_words_that_callers_know(
    tmp_path: Path, expression: str, found: str
) -> None:
    with pytest.raises(ContractError) as caught:
        converse(tmp_path, returning(expression))
    known = "Expected response to be ChatCompletion or Iterable[ChatCompletionChunk]"
    assert str(caught.value) == f"{known}, but the chat hook returned {found}"


def test_what_cannot_become_a_dict_breaks_the_contract(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="Written is neither a dict nor an object with one of: to_dict, model_dump"):
        converse(tmp_path, returning("Written('chat.completion')"))


@pytest.mark.parametrize(
    "hooks",
    [
        "def chat(params, model): raise KeyError('x')",
        "def chat(params, model):\n    raise KeyError('x')\n    yield",
        "def chat(params, model):\n    import sys\n    sys.exit()",
        "class Odd:\n    @property\n    def object(self): 1 / 0\ndef chat(params, model): return Odd()",
    ],
)
def test_whatever_the_hook_raises_is_wrapped(tmp_path: Path, hooks: str) -> None:
    with pytest.raises(UserCodeError, match="The chat hook raised"):
        converse(tmp_path, hooks)


def test_a_failure_in_the_middle_of_a_stream_names_the_line(tmp_path: Path) -> None:
    hooks = """
        def chat(params, model):
            yield CHUNK
            1 / 0
    """
    with load(tmp_path, hooks) as loaded:
        said = loaded.chat({})
        next(said)
        with pytest.raises(UserCodeError, match=r"ZeroDivisionError.* \(custom.py:\d+\)"):
            next(said)


def test_an_error_that_the_hook_raises_on_purpose_passes(tmp_path: Path) -> None:
    hooks = """
        from datarobot_drum import CustomHTTPError

        def chat(params, model):
            yield CHUNK
            raise CustomHTTPError("too late", 409)
    """
    with load(tmp_path, hooks) as loaded:
        said = loaded.chat({})
        assert next(said)["object"] == "chat.completion.chunk"
        with pytest.raises(CustomHTTPError, match="too late"):
            next(said)


# The end of a stream.


GENERATOR = """
    def chat(params, model):
        try:
            while True:
                yield CHUNK
        except GeneratorExit:
            closed.append("generator")
            raise
        finally:
            closed.append("finally")

    def score(data, model):
        import pandas
        return pandas.DataFrame({"Predictions": [len(closed)]})
"""


def count_of_closed(loaded: Predictor) -> float:
    return float(loaded.score(TABLE).values[0][0])


def test_closing_a_stream_closes_the_hook_s_generator(tmp_path: Path) -> None:
    with load(tmp_path, GENERATOR, target_type="regression") as loaded:
        said = loaded.converse(asked({}, {}))
        assert not isinstance(said, Said)
        next(said)
        said.close()  # type: ignore[attr-defined]
        assert count_of_closed(loaded) == 2


def test_a_stream_that_is_forgotten_is_closed_even_if_nobody_read_it(tmp_path: Path) -> None:
    with load(tmp_path, GENERATOR, target_type="regression") as loaded:
        loaded.chat({})
        assert count_of_closed(loaded) == 2


def test_a_stream_of_a_library_is_closed_at_its_end(tmp_path: Path) -> None:
    hooks = GENERATOR.replace("def chat", "def _") + "\n    def chat(params, model): return Stream(CHUNK)"
    with load(tmp_path, hooks, target_type="regression") as loaded:
        assert len(list(loaded.chat({}))) == 1
        assert count_of_closed(loaded) == 1


def test_a_generator_that_fails_to_close_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hooks = """
        def chat(params, model):
            try:
                yield CHUNK
            finally:
                1 / 0
    """
    with load(tmp_path, hooks) as loaded:
        loaded.chat({}).close()
    assert "The chat hook's stream cannot be closed. Exception: ZeroDivisionError" in caplog.text


# What else such a folder can do.


def test_a_folder_that_only_chats_needs_neither_artifact_nor_type_nor_name(tmp_path: Path) -> None:
    with load(tmp_path, CHAT) as loaded:
        assert loaded.chat({}) == {"object": "chat.completion", "choices": []}
        assert loaded.info.target.type is TargetType.TEXT_GENERATION
        assert loaded.info.notice == "no target type given: textgeneration inferred from the model"
        with pytest.raises(Unsupported, match="use the /chat/completions or /v1/chat/completions endpoint"):
            loaded.score(TABLE)


@pytest.mark.parametrize("kind", list(TargetType))
def test_every_target_type_may_chat_alone(tmp_path: Path, kind: TargetType) -> None:
    labels: dict[str, Any] = {}
    if kind is TargetType.BINARY:
        labels = {"positive_class_label": "a", "negative_class_label": "b"}
    elif kind in (TargetType.MULTICLASS, TargetType.MULTILABEL):
        labels = {"class_labels": ["a", "b", "c"]}
    with load(tmp_path, CHAT, target_type=kind.value, **labels) as loaded:
        assert loaded.chat({})["object"] == "chat.completion"
        for call in (
            lambda: loaded.score(TABLE),
            lambda: loaded.transform(TABLE),
            lambda: loaded.answer(TABLE, {}),
        ):
            with pytest.raises(Unsupported, match=f"target type '{kind}', use the /chat/completions"):
                call()


def test_a_folder_with_score_and_chat_does_both(tmp_path: Path) -> None:
    with load(tmp_path, GENERATOR.replace("while True", "if True"), target_type="regression") as loaded:
        assert len(list(loaded.chat({}))) == 1
        assert loaded.predict(b"a\n1\n").to_dict("list") == {"Predictions": [1.0]}


def test_a_text_that_is_scored_needs_its_name_even_beside_a_chat(tmp_path: Path) -> None:
    hooks = f"{CHAT}\ndef score(data, model): ..."
    with pytest.raises(UsageError, match="needs the name of its target"):
        load(tmp_path, hooks, target_type="textgeneration")


def test_an_artifact_beside_the_chat_is_scored_for_its_declared_type(tmp_path: Path) -> None:
    with load(tmp_path, CHAT, {"model.pkl": ARTIFACT}, target_type="regression") as loaded:
        assert loaded.info.framework == "scikit-learn"
        assert loaded.score(TABLE).values.tolist() == [[pytest.approx(2.0)]]


def test_an_artifact_that_only_helps_the_chat_is_not_scored(tmp_path: Path) -> None:
    hooks = "def chat(params, model): return {**COMPLETION, 'kind': type(model).__name__}"
    with load(tmp_path, hooks, {"model.pkl": ARTIFACT}) as loaded:
        assert loaded.chat({})["kind"] == "LinearRegression"
        assert loaded.model.score is None


@pytest.mark.parametrize("kind", ["textgeneration", "agenticworkflow"])
def test_a_folder_that_could_chat_says_so(tmp_path: Path, kind: str) -> None:
    loaded = load(tmp_path, "def score(data, model): ...", target_type=kind, target_name="x")
    with loaded, pytest.raises(NotOffered, match=r"but chat\(\) is not implemented"):
        loaded.chat({})


def test_a_folder_that_does_not_chat_says_so(tmp_path: Path) -> None:
    loaded = load(tmp_path, "def score(data, model): ...", target_type="regression")
    with loaded, pytest.raises(NotOffered, match="but chat is not supported"):
        loaded.chat({})


# The models that are listed.

MODELS = "def get_supported_llm_models(model): return "
ONE = {"id": "m", "object": "model"}


@pytest.mark.parametrize("expression", ["[{'id': 'm', 'object': 'model'}]", "iter([WithToDict('model', id='m')])"])
@pytest.mark.parametrize("kind", ["textgeneration", "agenticworkflow", "regression"])
def test_the_hook_lists_models_for_every_target_type(tmp_path: Path, expression: str, kind: str) -> None:
    with load(tmp_path, f"{CHAT}\n{MODELS}{expression}", target_type=kind) as loaded:
        assert loaded.list_models() == [ONE]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("None", "returned NoneType, expected an iterable of models"),
        ("['m']", "listed str, expected objects whose field `object` is 'model'"),
        ("[COMPLETION]", "listed dict, expected"),
    ],
)
def test_what_is_no_list_of_models_breaks_the_contract(tmp_path: Path, expression: str, words: str) -> None:
    with load(tmp_path, f"{CHAT}\n{MODELS}{expression}") as loaded, pytest.raises(ContractError, match=words):
        loaded.list_models()


def test_without_the_hook_the_runtime_parameter_names_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_LLM_ID", '{"type": "string", "payload": "our-llm"}')
    with load(tmp_path, CHAT) as loaded:
        assert loaded.list_models() == [
            {"id": "our-llm", "object": "model", "created": 1735689600, "owned_by": "DataRobot"}
        ]


@pytest.mark.parametrize("payload", [None, "null", '""'])
def test_without_a_name_there_is_no_model(tmp_path: Path, payload: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if payload is not None:
        monkeypatch.setenv("MLOPS_RUNTIME_PARAM_LLM_ID", f'{{"type": "string", "payload": {payload}}}')
    with load(tmp_path, CHAT) as loaded:
        assert loaded.list_models() == []


def test_a_broken_runtime_parameter_is_a_load_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_LLM_ID", "our-llm")
    with pytest.raises(LoadError, match="LLM_ID does not hold JSON"):
        load(tmp_path, CHAT)


def test_other_target_types_list_no_models(tmp_path: Path) -> None:
    with load(tmp_path, CHAT, target_type="agenticworkflow") as loaded, pytest.raises(NotOffered, match="llm_models"):
        loaded.list_models()
