"""`python -m custom_model_runner` is the command `drum`."""

from custom_model_runner.cli import main

raise SystemExit(main())
