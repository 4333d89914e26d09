"""PyTorch: whole modules, TorchScript and exported programs, scored on one float matrix by position."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import torch

from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import ContractError, InputError, LoadError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import fitted, matrix

# What torch says when a layer gets another number of columns than it has weights for; the text holds shapes only.
WRONG_WIDTH = "shapes cannot be multiplied"
# Parts of an exported program: its lists of tensors say which are pickled; older versions had three pickles.
PICKLED = re.compile(rb'"use_pickle"\s*:\s*true')
CODE_PARTS = ("custom_obj", "opaque_obj", "aotinductor")
OLD_PARTS = frozenset({"serialized_state_dict.json", "serialized_constants.json"})


def load(path: Path) -> Any:
    """Open a module or TorchScript, on the GPU if there is one, or an exported program, whichever the file holds."""
    return _open(path, _whole_module)


def load_without_code(path: Path) -> Any:
    """Open TorchScript, or an exported program that holds plain weights; whatever else may run code is refused."""
    if _is_program(_names_inside(path)):
        _check_program(path)
    return _open(path, _refuse)


def _open(path: Path, otherwise: Callable[[Path, torch.device], Any]) -> Any:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    names = _names_inside(path)
    try:
        if _is_program(names):
            # It stays on the device it was exported for, which is written into its operations.
            return torch.export.load(str(path)).module()
        if "constants.pkl" in names:
            return torch.jit.load(str(path), map_location=device).eval()
        return otherwise(path, device)
    except (UnpicklingError, EOFError, RuntimeError) as error:
        raise LoadError(
            f"{path.name} cannot be read by torch {torch.__version__} ({type(error).__name__}): expected a module "
            "saved by torch.save, TorchScript or torch.export.save; it may be cut, or made by a newer version"
        ) from error


def _is_program(names: set[str]) -> bool:
    return "archive_format" in names or "serialized_exported_program.json" in names


def _refuse(path: Path, _: torch.device) -> NoReturn:
    raise LoadError(
        f"--no-pickle refuses {path.name}: it is a pickled module, and opening that can run code; "
        "save TorchScript or torch.export.save instead"
    )


def _check_program(path: Path) -> None:
    """Refuse a program with members that torch.export.load would unpickle, or load as machine code."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if _holds_code(archive, info):
                raise LoadError(
                    f"--no-pickle refuses {path.name}: opening its part {info.filename} can run code; "
                    "export a program whose weights are plain tensors"
                )


def _holds_code(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    name = info.filename.rpartition("/")[2]
    if any(word in info.filename for word in CODE_PARTS):
        return True
    if name.endswith("_config.json"):
        return PICKLED.search(archive.read(info)) is not None
    if not name.endswith(".pt") and name not in OLD_PARTS:
        return False
    data = archive.read(info)
    try:
        if data:
            torch.load(io.BytesIO(data), weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError):
        return True
    return False


def _names_inside(path: Path) -> set[str]:
    """Return what stands at the top of the archive that torch writes: all of it is in one folder."""
    if not zipfile.is_zipfile(path):
        return set()
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2] or name for name in archive.namelist()}


def _whole_module(path: Path, device: torch.device) -> Any:
    model = torch.load(path, map_location=device, weights_only=False)
    if isinstance(model, dict):
        raise LoadError(
            f"{path.name} holds weights or a checkpoint (a dict of {len(model)} entries), which say nothing of the "
            "network: save the whole module with torch.save(model, path), or TorchScript, or torch.export; "
            "or build the network in a load_model hook"
        )
    return model.eval() if isinstance(model, torch.nn.Module) else model


def hint(model: Any) -> Hint | None:
    """Return None: a network does not say what its numbers mean."""
    return None


def check(model: Any, target: Target) -> None:
    """Refuse what cannot score, and turn off what is for training, such as dropout."""
    matrix.check_target(target, "PyTorch")
    network = last_step(model)
    if not isinstance(network, torch.nn.Module):
        kind = f"{type(network).__module__}.{type(network).__qualname__}"
        raise LoadError(f"Expected a torch.nn.Module, found {kind}; write a score hook")
    shape = _exported_shape(network)
    if shape is not None and len(shape) != 2:
        raise LoadError(f"The exported program takes {len(shape)} dimensions, expected 2; write a score hook")
    if shape is not None and isinstance(shape[0], int):
        raise LoadError(
            f"The program was exported for tables of exactly {shape[0]} rows; "
            "export it with dynamic_shapes for the first dimension"
        )
    try:
        network.eval()
    except NotImplementedError:
        # An exported program stays in the mode in which it was exported.
        return


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the network, or the first step of its pipeline, takes."""
    network: Any = last_step(model)
    if network is model:
        matrix.check_columns(table.shape[1], _width(network))
    else:
        fitted.check(model, table)


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return what the network gives for a table, computed where its weights are and in their precision."""
    network: Any = last_step(model)
    weights = next((part for part in network.parameters() if part.is_floating_point()), torch.empty(0))
    given = matrix.prepare(model, table, np.float64 if weights.dtype is torch.float64 else np.float32)
    matrix.check_columns(given.shape[1], _width(network))
    values = _call(network, torch.from_numpy(given).to(weights))
    if values.ndim > 2 or len(given) == 1:
        # Some networks squeeze away more than they should when there is one row.
        values = values.reshape(len(given), -1)
    return Scores(matrix.settle(values, given, target))


def _call(network: torch.nn.Module, given: torch.Tensor) -> matrix.Array:
    try:
        with torch.inference_mode():
            result = network(given)
    except RuntimeError as error:
        if WRONG_WIDTH in str(error):
            raise InputError(f"{type(network).__name__} cannot use a table of {given.shape[1]} columns") from error
        raise
    if not isinstance(result, torch.Tensor):
        raise ContractError(f"{type(network).__name__} returned {type(result).__name__}, expected one tensor")
    values: matrix.Array = result.detach().to("cpu", torch.float64).numpy()
    return values


def _width(network: torch.nn.Module) -> int | None:
    """Return how many columns the network takes, where that is certain."""
    shape = _exported_shape(network)
    if shape is not None:
        return shape[1] if isinstance(shape[1], int) else None
    while isinstance(network, torch.nn.Sequential) and len(network):
        network = network[0]
    return network.in_features if isinstance(network, torch.nn.Linear) else None


def _exported_shape(network: torch.nn.Module) -> list[Any] | None:
    """Return the shape of an exported program's only input; a dimension that may vary is not an int."""
    if not isinstance(network, torch.fx.GraphModule):
        return None
    inputs = [node.meta.get("val") for node in network.graph.nodes if node.op == "placeholder"]
    return list(inputs[0].shape) if len(inputs) == 1 and isinstance(inputs[0], torch.Tensor) else None
