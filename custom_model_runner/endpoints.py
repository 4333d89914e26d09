"""What is said to those who ask a model for what it does not offer; callers match the words."""

from __future__ import annotations

from custom_model_runner.errors import NotOffered, Unsupported
from custom_model_runner.model import Model
from custom_model_runner.target_type import TargetType

# The routes of a target type; all others have those of predictions.
OF_TARGETS = {
    TargetType.UNSTRUCTURED: "/predictUnstructured/ or /predictionsUnstructured/",
    TargetType.TRANSFORM: "/transform/",
}
PREDICTIONS = "/predict/ or /predictions/"
CHATS = "/chat/completions or /v1/chat/completions"
# Those whose models are meant to chat.
CHATTY = frozenset({TargetType.TEXT_GENERATION, TargetType.AGENTIC_WORKFLOW})


def unsupported(model: Model) -> Unsupported:
    """Return the failure that names the route which works."""
    kind = model.info.target.type
    only_chats = model.chat is not None and model.score is None and model.answer is None and model.convert is None
    endpoints = CHATS if only_chats else OF_TARGETS.get(kind, PREDICTIONS)
    return Unsupported(f"This model has target type '{kind}', use the {endpoints} endpoint.")


def chatless(model: Model) -> NotOffered:
    """Return the failure of a model that does not chat."""
    kind = model.info.target.type
    found = "chat() is not implemented" if kind in CHATTY else "chat is not supported"
    return NotOffered(f"This model has target type '{kind}', but {found}: the folder has no chat hook")


def listless(model: Model) -> NotOffered:
    """Return the failure of a model that does not say what it offers to those who chat."""
    kind = model.info.target.type
    return NotOffered(f"This model has target type '{kind}', but get_supported_llm_models() is not supported")
