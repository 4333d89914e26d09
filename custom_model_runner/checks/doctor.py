"""What a folder is and what would keep it from being loaded, told without running any of its code."""

from __future__ import annotations

from pathlib import Path

from custom_model_runner import codedir, metadata, model, opening, plugins
from custom_model_runner.artifacts import objectives, versions
from custom_model_runner.checks import artifact, user_file
from custom_model_runner.checks.places import Places
from custom_model_runner.checks.report import Report
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, Hint, check_labels, merge, settle
from custom_model_runner.interfaces.hooks import needs_artifact
from custom_model_runner.metadata import Metadata
from custom_model_runner.plugins import Language
from custom_model_runner.settings import ModelSettings
from custom_model_runner.target_type import TargetType

PYTHON = "python"
# The targets that the objectives of boosters are made for, where these have classes.
KINDS = {
    "binary": TargetType.BINARY,
    "multi": TargetType.MULTICLASS,
    "multiclass": TargetType.MULTICLASS,
    "multiclassova": TargetType.MULTICLASS,
}


def examine(settings: ModelSettings) -> Report:
    """Return everything that is found in the folder; each problem is one, whatever else is wrong."""
    report = Report()
    report.fact("folder", settings.code_dir)
    folder, line = _open(settings, report)
    # As they would stand on the path.
    folders = (folder.user_file.parent, folder.path) if folder.user_file else (folder.path,)
    places = Places(folders, versions.distributions())
    declared = _examine_target(settings, folder, report)
    hooks = _examine_code(folder, line, declared, report, places)
    can_open = line.module and folder.language
    opened = _examine_opening(folder, hooks, declared, report) if can_open else None
    needs_model = needs_artifact(hooks or (), declared)
    for path in folder.artifacts:
        # What only a load_model hook opens may be there for another reason.
        part = report if path == opened else Report(report.facts, report.notes, report.notes)
        is_scored = path == opened and needs_model
        artifact.examine(path, part, places=places, is_scored=is_scored)
        if is_scored and path.suffix.lower() in objectives.NATIVE:
            _examine_labels(path, declared, report)
    return report


def _examine_code(
    folder: CodeDir, line: Language, declared: Declared, report: Report, places: Places
) -> frozenset[str] | None:
    """Return the hooks that the folder defines; None where that cannot be told."""
    hooks: frozenset[str] | None = frozenset()
    if folder.user_file is not None:
        report.fact("user file", folder.user_file.relative_to(folder.path))
        if line is plugins.LANGUAGES[PYTHON]:
            is_transform = declared.type is TargetType.TRANSFORM
            hooks = user_file.examine(folder.user_file, report, places=places, is_transform=is_transform)
    extension = report.attempt(codedir.find_extension, folder.path)
    if extension is not None:
        report.fact("server file", extension.relative_to(folder.path))
        inside = Places((extension.parent, *places.folders), places.distributions)
        user_file.examine_extension(extension, report, places=inside)
    return hooks


def _open(settings: ModelSettings, report: Report) -> tuple[CodeDir, Language]:
    """Return what stands in the folder, as far as it can be told; a folder of no language is looked at as Python's."""
    path = settings.code_dir
    files = codedir.files_below(path)
    language = settings.language or report.attempt(codedir.detect_language, path, files)
    report.fact("language", language or "unknown")
    line = plugins.LANGUAGES.get(language or PYTHON, Language(""))
    if language:
        report.attempt(plugins.choose, plugins.LANGUAGES, language, what="language")
    about = report.attempt(metadata.read, path)
    report.fact("metadata", metadata.FILE_NAME if (path / metadata.FILE_NAME).exists() else "none")
    user_file = report.attempt(codedir.find_user_file, path, files, line)
    folder = CodeDir(
        path=path,
        language=language or "",
        interface="hooks" if user_file else "artifact",
        user_file=user_file,
        artifacts=codedir.find_artifacts(path, files, line),
        metadata=about or Metadata(),
        refuses_code=settings.no_pickle,
    )
    return folder, line


def _examine_target(settings: ModelSettings, folder: CodeDir, report: Report) -> Declared:
    options = report.attempt(model.declared_by, settings) or Declared()
    declared = report.attempt(merge, options, folder.metadata.declared) or Declared()
    report.attempt(check_labels, declared)
    report.fact("target type", declared.type or _type_by_labels(declared) or "not declared")
    return declared


def _type_by_labels(declared: Declared) -> str | None:
    if declared.positive is not None:
        return "binary, by its labels"
    return None if declared.labels is None else "multiclass, or multilabel if the model is, by its labels"


def _examine_labels(path: Path, declared: Declared, report: Report) -> None:
    """Report that labels are missing to a native booster, which knows of none."""
    family = objectives.of(path)
    kind = KINDS.get(family or "")
    hint = Hint(kind) if kind else None
    if hint is not None or declared.type is not None:
        report.attempt(settle, declared, hint)
    elif family is None and not (declared.labels or declared.positive):
        report.note(f"{path.name} does not tell its objective; if it has classes, give the target type and the labels")


def _examine_opening(folder: CodeDir, hooks: frozenset[str] | None, declared: Declared, report: Report) -> Path | None:
    """Return the artifact that the runner would open; none where a hook opens it, or where that is unknown."""
    if hooks is None:
        return None
    if declared.type is TargetType.UNSTRUCTURED and "score_unstructured" not in hooks:
        report.problem("An unstructured model needs a score_unstructured hook")
    if "load_model" in hooks or not (folder.artifacts or needs_artifact(hooks, declared)):
        return None
    path = report.attempt(opening.only_artifact, folder)
    if path is None:
        return None
    report.attempt(opening.check_allowed, folder, path)
    return path
