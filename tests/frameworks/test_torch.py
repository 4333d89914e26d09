"""What PyTorch files hold, and how their networks score a table."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner import codedir, opening
from custom_model_runner.data.target import Target
from custom_model_runner.errors import ContractError, InputError, LoadError
from custom_model_runner.estimator import recognise
from custom_model_runner.frameworks import torch as framework
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

FRAME = pd.DataFrame({"a[1]": [0.5, 1.0, -2.0], "b": [3, 2, 1]})
REGRESSION = Target(T.REGRESSION)
BINARY = Target(T.BINARY, ("no", "yes"))
DROPOUT = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(0.9), torch.nn.Linear(4, 1))
GIVEN = torch.tensor([[0.5, 3.0], [1.0, 2.0], [-2.0, 1.0]])


class Returns(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A network of code: what it gives is the function's affair."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, given: torch.Tensor) -> Any:
        return self.function(given)


def expected(network: torch.nn.Module) -> Any:
    with torch.no_grad():
        return network.eval()(GIVEN).double().numpy()


def module(path: Path) -> None:
    torch.save(DROPOUT.train(), path)


def old_module(path: Path) -> None:
    torch.save(DROPOUT.train(), path, _use_new_zipfile_serialization=False)


def script(path: Path) -> None:
    torch.jit.script(DROPOUT.train()).save(str(path))


def program(path: Path) -> None:
    rows = torch.export.Dim("rows")
    torch.export.save(torch.export.export(DROPOUT.eval(), (GIVEN,), dynamic_shapes=({0: rows},)), path)


# The words of torch itself about its own future.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("save", [module, old_module, script, program])
@pytest.mark.parametrize("suffix", [".pth", ".pt2"])
def test_a_file_is_opened_by_what_it_holds_and_scores_without_dropout(tmp_path: Path, save: Any, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    save(path)
    model = framework.load(path)
    framework.check(model, REGRESSION)
    known = recognise(model)
    assert known is not None
    assert known.framework == "torch"
    np.testing.assert_array_equal(framework.score(model, FRAME, REGRESSION).values, expected(DROPOUT))


def test_a_network_that_comes_in_training_mode_from_elsewhere_scores_without_dropout() -> None:
    network = DROPOUT.train()
    framework.check(network, REGRESSION)
    assert not network.training


@pytest.mark.parametrize("held", [DROPOUT.state_dict(), {"epoch": 3, "model": DROPOUT.state_dict()}])
def test_weights_alone_are_refused_with_what_to_save_instead(tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "model.pth")
    with pytest.raises(LoadError, match=r"model.pth holds weights or a checkpoint .* torch.save\(model, path\)"):
        framework.load(tmp_path / "model.pth")


@pytest.mark.parametrize("kept", [0, 10, -100])
@pytest.mark.parametrize("save", [module, program])
def test_a_cut_file_is_refused(tmp_path: Path, save: Any, kept: int) -> None:
    save(tmp_path / "whole.pt2")
    (tmp_path / "model.pth").write_bytes((tmp_path / "whole.pt2").read_bytes()[:kept])
    with pytest.raises(LoadError, match=r"model.pth cannot be read by torch"):
        framework.load(tmp_path / "model.pth")


def test_a_class_that_is_gone_is_told_with_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Returns, "__module__", "__main__")
    monkeypatch.setattr("__main__.Returns", Returns, raising=False)
    torch.save(Returns(None), tmp_path / "model.pth")
    monkeypatch.delattr("__main__.Returns")
    with pytest.raises(LoadError, match=r"'Returns', which was defined in the script .*to a Python file beside"):
        opening.load(codedir.open_folder(tmp_path))


# The words of torch itself about its own future.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("save", [script, program])
def test_what_holds_no_code_is_opened_under_no_pickle(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "model.pth")
    model = framework.load_without_code(tmp_path / "model.pth")
    framework.check(model, REGRESSION)
    np.testing.assert_array_equal(framework.score(model, FRAME, REGRESSION).values, expected(DROPOUT))


@pytest.mark.parametrize("save", [module, old_module])
def test_a_pickled_module_is_refused_under_no_pickle(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "model.pth")
    with pytest.raises(LoadError, match=r"^--no-pickle refuses model.pth: it is a pickled module"):
        framework.load_without_code(tmp_path / "model.pth")


@pytest.mark.parametrize("member", ["data/sample_inputs/model.pt", "data/constants/opaque_obj_0"])
def test_a_program_with_a_part_that_runs_code_is_refused_under_no_pickle(tmp_path: Path, member: str) -> None:
    program(tmp_path / "made.pt2")
    evil = io.BytesIO()
    torch.save(DROPOUT, evil)
    with zipfile.ZipFile(tmp_path / "made.pt2") as made, zipfile.ZipFile(tmp_path / "model.pt2", "w") as changed:
        for info in made.infolist():
            if not info.filename.endswith(member):
                changed.writestr(info.filename, made.read(info))
        changed.writestr(f"made/{member}", evil.getvalue())
    with pytest.raises(LoadError, match=rf"--no-pickle refuses model.pt2: opening its part made/{member} can run code"):
        framework.load_without_code(tmp_path / "model.pt2")


def test_weights_that_are_pickled_in_a_program_are_refused_under_no_pickle(tmp_path: Path) -> None:
    program(tmp_path / "made.pt2")
    with zipfile.ZipFile(tmp_path / "made.pt2") as made, zipfile.ZipFile(tmp_path / "model.pt2", "w") as changed:
        for info in made.infolist():
            changed.writestr(info.filename, made.read(info).replace(b'"use_pickle": false', b'"use_pickle": true'))
    with pytest.raises(LoadError, match=r"--no-pickle refuses model.pt2: .*model_weights_config.json can run code"):
        framework.load_without_code(tmp_path / "model.pt2")


def test_a_program_for_a_fixed_number_of_rows_is_refused_at_load() -> None:
    fixed = torch.export.export(DROPOUT.eval(), (GIVEN,)).module()
    with pytest.raises(LoadError, match="exactly 3 rows; export it with dynamic_shapes"):
        framework.check(fixed, REGRESSION)


@pytest.mark.parametrize(
    ("model", "target"), [(DROPOUT, Target(T.TEXT_GENERATION, (), "x")), (torch.zeros(2), REGRESSION)]
)
def test_what_cannot_score_is_refused_at_load(model: Any, target: Target) -> None:
    with pytest.raises(LoadError, match="write a score hook"):
        framework.check(model, target)


@pytest.mark.parametrize("network", [DROPOUT, torch.nn.Sequential(DROPOUT), torch.nn.Linear(2, 1)])
def test_another_number_of_columns_is_told_before_the_call(network: Any) -> None:
    with pytest.raises(InputError, match="takes 2 columns, found 3"):
        framework.score(network, FRAME.assign(c=1), REGRESSION)


def test_an_exported_program_knows_its_number_of_columns(tmp_path: Path) -> None:
    program(tmp_path / "model.pt2")
    with pytest.raises(InputError, match="takes 2 columns, found 1"):
        framework.score(framework.load(tmp_path / "model.pt2"), FRAME[["b"]], REGRESSION)


def test_another_number_of_columns_is_an_input_error_after_the_call_too() -> None:
    with pytest.raises(InputError, match="Returns cannot use a table of 3 columns"):
        framework.score(Returns(torch.nn.Linear(2, 1)), FRAME.assign(c=1), REGRESSION)


def test_other_failures_stay_what_they_are() -> None:
    def fail(given: torch.Tensor) -> None:
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        framework.score(Returns(fail), FRAME, REGRESSION)


def test_text_is_an_input_error_that_names_no_data() -> None:
    with pytest.raises(InputError, match="columns that are not numeric: 1 ") as caught:
        framework.score(DROPOUT, FRAME.assign(b="MARKER"), REGRESSION)
    assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_gaps_leave_no_probabilities_and_are_blamed_on_the_input(gap: float) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Softmax(dim=1))
    with pytest.raises(InputError, match=r"no probabilities where values are missing or infinite; .*: 0 "):
        framework.score(network, FRAME.assign(**{"a[1]": gap}), BINARY)


def test_numbers_too_large_for_single_precision_are_infinite() -> None:
    values = framework.score(Returns(lambda given: given[:, :1]), FRAME.assign(**{"a[1]": 1e300}), REGRESSION).values
    assert np.isinf(values).all()


@pytest.mark.parametrize(
    ("rows", "shape"), [(1, ()), (1, (2,)), (1, (1, 2)), (3, (3,)), (3, (3, 1)), (3, (3, 1, 2))], ids=str
)
def test_what_is_squeezed_too_much_or_too_little_has_a_line_per_row(rows: int, shape: tuple[int, ...]) -> None:
    values = framework.score(Returns(lambda given: torch.ones(shape)), FRAME[:rows], REGRESSION).values
    assert len(values) == rows
    assert values.ndim <= 2


def test_what_is_no_tensor_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match="Returns returned tuple, expected one tensor"):
        framework.score(Returns(lambda given: (given, given)), FRAME, REGRESSION)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_a_network_is_given_numbers_of_its_own_precision(kind: torch.dtype) -> None:
    network = torch.nn.Linear(2, 1, dtype=kind)
    with torch.no_grad():
        wanted = network(GIVEN.to(kind)).double().numpy()
    np.testing.assert_array_equal(framework.score(network, FRAME, REGRESSION).values, wanted)


def test_a_pipeline_prepares_the_table_by_name(tmp_path: Path) -> None:
    scaler = StandardScaler().fit(FRAME)
    joblib.dump(Pipeline([("scale", scaler), ("nothing", "passthrough"), ("network", DROPOUT)]), tmp_path / "p")
    pipeline = joblib.load(tmp_path / "p")
    framework.check(pipeline, REGRESSION)
    with torch.no_grad():
        wanted = DROPOUT.eval()(torch.from_numpy(scaler.transform(FRAME).astype(np.float32))).double().numpy()
    np.testing.assert_array_equal(framework.score(pipeline, FRAME[["b", "a[1]"]], REGRESSION).values, wanted)
    with pytest.raises(InputError, match=r"lacks 1 of the columns .*: a\[1\]"):
        framework.score(pipeline, FRAME[["b"]], REGRESSION)
    with pytest.raises(InputError, match=r"\(ValueError\): 2 columns; columns that are not numeric: 1; ") as caught:
        framework.score(pipeline, FRAME.assign(b="MARKER"), REGRESSION)
    assert "MARKER" not in str(caught.value)


torch.manual_seed(7)
SIGMOID = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
SOFTMAX = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Softmax(dim=1))


# The words of torch itself about its own future.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
@pytest.mark.parametrize("network", [SIGMOID, SOFTMAX], ids=["one column", "two columns"])
def test_the_positive_probability_lands_on_the_positive_label(tmp_path: Path, network: Any, has_hook: bool) -> None:
    torch.jit.script(network.eval()).save(str(tmp_path / "model.pth"))
    assert_sides(tmp_path, FRAME, expected(network)[:, -1], has_hook=has_hook)


def test_the_columns_of_a_table_without_rows_are_checked() -> None:
    framework.check_columns(torch.nn.Linear(2, 1), FRAME[:0])
    with pytest.raises(InputError, match="takes 2 columns, found 1"):
        framework.check_columns(torch.nn.Linear(2, 1), FRAME[["b"]][:0])
