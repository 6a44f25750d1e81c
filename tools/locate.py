"""Prints the path of a file that an installed distribution brought along: locate.py DISTRIBUTION FILE."""
import importlib.metadata
import sys
from pathlib import Path

distribution, name = sys.argv[1:]
for file in importlib.metadata.files(distribution) or ():
    if str(file).endswith(name):
        print(Path(file.locate()).resolve())
        break
