"""Prints what `pip install` needs to build and develop: the build requirements and the extra "dev"."""

import tomllib
from pathlib import Path

settings = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())
wanted = settings["build-system"]["requires"] + settings["project"]["dependencies"]
print("\n".join(wanted + settings["project"]["optional-dependencies"]["dev"]))
