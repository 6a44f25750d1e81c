"""Files and models from the web, kept in a folder: `set_dir`, or $TORCH_HOME/hub, or ~/.cache/torch/hub."""
from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import urllib.request
import zipfile
from typing import Any
from urllib.parse import urlparse

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_folder: str | None = None


def get_dir() -> str:
    """The folder that models and weights are kept in."""
    if _folder is not None:
        return _folder
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike) -> None:
    """Choose the folder."""
    global _folder
    _folder = os.path.expanduser(os.fspath(d))


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file; it appears under `dst` only when it is whole.

    Args: hash_prefix, the first hexadecimal digits of its SHA-256; progress, whether to print how far it is.
    Errors: RuntimeError if the hash differs, urllib's errors if the file cannot be had.
    """
    dst = os.path.expanduser(dst)
    folder = os.path.dirname(dst) or "."
    digest = hashlib.sha256()
    with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "torch.hub"})) as source, \
            tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as target:
        try:
            size, read = int(source.headers.get("Content-Length") or 0), 0
            while block := source.read(1 << 17):
                target.write(block)
                digest.update(block)
                read += len(block)
                if progress and size:
                    sys.stderr.write(f"\r{100 * read / size:5.1f}%")
            if progress and size:
                sys.stderr.write("\n")
            found = digest.hexdigest()
            if hash_prefix is not None and not found.startswith(hash_prefix):
                raise RuntimeError(f"hub: the file's hash starts with {found!r}, not with {hash_prefix!r}")
            target.close()
            os.replace(target.name, dst)
        except BaseException:
            target.close()
            os.unlink(target.name)
            raise


def load_state_dict_from_url(url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True,
                             check_hash: bool = False, file_name: str | None = None,
                             weights_only: bool = False) -> Any:
    """What `torch.load` reads from a file of the web, downloaded once into `model_dir` (default: the hub).

    Args: check_hash, whether the file name ends in the first digits of the SHA-256, as in resnet18-f37072fd.pth.
    """
    import flambeau as fb
    model_dir = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(model_dir, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    path = os.path.join(model_dir, name)
    if not os.path.exists(path):
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        found = re.search(r"-([a-f0-9]*)\.", name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress=progress)
    return fb.load(path, map_location=map_location, weights_only=weights_only)


def _repository(github: str, force_reload: bool, trust_repo: Any, verbose: bool) -> str:
    """The folder of a repository "owner/name[:branch]", downloaded as GitHub's archive."""
    found = re.fullmatch(r"([\w.-]+)/([\w.-]+)(?::([\w./-]+))?", github)
    if not found:
        raise ValueError(f"Invalid GitHub repository {github!r}: expected owner/name or owner/name:branch")
    owner, name, branch = found.groups()
    branch = branch or "main"
    folder = os.path.join(get_dir(), f"{owner}_{name}_{branch.replace('/', '_')}")
    if os.path.exists(folder) and not force_reload:
        if verbose:
            sys.stderr.write(f"hub: {folder} is there already\n")
        return folder
    if trust_repo not in (True, "check", None) or (trust_repo == "check" and not _trusted(owner, name)):
        raise RuntimeError(f"The repository {owner}_{name} is not trusted: it would run code of others. Pass "
                           "trust_repo=True if you trust it.")
    os.makedirs(get_dir(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=get_dir()) as scratch:
        archive = os.path.join(scratch, "archive.zip")
        download_url_to_file(f"https://github.com/{owner}/{name}/zipball/{branch}", archive, progress=False)
        with zipfile.ZipFile(archive) as files:
            top = files.infolist()[0].filename
            files.extractall(scratch)
        if os.path.exists(folder):
            import shutil
            shutil.rmtree(folder)
        os.replace(os.path.join(scratch, top), folder)
    return folder


def _trusted(owner: str, name: str) -> bool:
    path = os.path.join(get_dir(), "trusted_list")
    known = open(path).read().split() if os.path.exists(path) else []
    return f"{owner}_{name}" in known or owner in ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")


def _entry_points(folder: str) -> Any:
    """The module hubconf.py of a folder, whose public functions make models."""
    path = os.path.join(folder, "hubconf.py")
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no hubconf.py in {folder}")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location("hubconf", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    missing = [m for m in getattr(module, "dependencies", []) if importlib.util.find_spec(m) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(module: Any, model: str) -> Any:
    function = getattr(module, model, None) if isinstance(model, str) else None
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return function


def list(github, force_reload=False, skip_validation=False, trust_repo="check", verbose=True):  # noqa: A001
    """The names of the models of a repository."""
    module = _entry_points(_repository(github, force_reload, trust_repo, verbose))
    return [n for n in dir(module) if callable(getattr(module, n)) and not n.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo="check"):  # noqa: A001
    """The docstring of a model."""
    return _entry(_entry_points(_repository(github, force_reload, trust_repo, True)), model).__doc__


def load(repo_or_dir, model, *args, source="github", trust_repo="check", force_reload=False, verbose=True,
         skip_validation=False, **kwargs):
    """A model made by a function of hubconf.py, in a repository of GitHub or (source="local") in a folder.

    Errors: ValueError for another source; RuntimeError for a repository that is not trusted, a missing function or
    missing packages.
    """
    if str(source).lower() not in ("github", "local"):
        raise ValueError(f"hub: unknown source={source!r}, choose 'github' or 'local'")
    folder = repo_or_dir if source == "local" else _repository(repo_or_dir, force_reload, trust_repo, verbose)
    return _entry(_entry_points(folder), model)(*args, **kwargs)
