"""`drum new model`: a code directory to start from."""

from __future__ import annotations

import datetime

from custom_model_runner import plugins
from custom_model_runner.errors import EXIT_OK, RunnerError
from custom_model_runner.settings import LogSettings, NewModelSettings


def run(new: NewModelSettings, log: LogSettings) -> int:
    """Write the files of a new code directory."""
    template = plugins.find(plugins.choose(plugins.TEMPLATES, new.language, what="template language"))
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    try:
        new.code_dir.mkdir(parents=True)
        for name, text in template.FILES.items():
            path = new.code_dir / name
            is_page = path.suffix == ".md"
            path.write_text(text.format(name=new.code_dir.name, date=today) if is_page else text, encoding="utf-8")
    except OSError as error:
        raise RunnerError(f"{str(new.code_dir)!r} cannot be created: {error.strerror}") from error
    return EXIT_OK
