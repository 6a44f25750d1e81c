"""Downloading with progress and checksums."""

import hashlib
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "calculate_md5",
    "check_integrity",
    "download_and_extract_archive",
    "download_from_mirrors",
    "download_url",
    "extract_archive",
]

_CHUNK = 1 << 16
_SECONDS_TO_CONNECT = 30


def calculate_md5(path: str | Path, chunk_size: int = 1 << 20) -> str:
    """The MD5 checksum of a file, in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_integrity(path: str | Path, md5: str | None = None) -> bool:
    """Whether the file is there and, if a checksum is given, has it."""
    return Path(path).is_file() and (md5 is None or calculate_md5(path) == md5)


def download_url(url: str, root: str | Path, filename: str | None = None, md5: str | None = None) -> None:
    """Fetch a file into the folder `root`, unless it is there with the right checksum.

    Args:
        url: where it is.
        root: folder, made if it is missing.
        filename: its name there; default is the last part of the url.
        md5: expected checksum in hexadecimal.
    Errors: RuntimeError if it cannot be fetched or the checksum differs.
    """
    target = Path(root).expanduser() / (filename or Path(url).name)
    if check_integrity(target, md5):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    try:
        _fetch(url, partial)
        if not check_integrity(partial, md5):
            raise RuntimeError(
                f"{url}: the file that came has not the checksum {md5}; it is damaged or was replaced."
            )
        partial.replace(target)
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(
            f"Could not download {url} ({reason}). Without a network, put the file at {target} yourself."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def download_from_mirrors(mirrors: Iterable[str], root: str | Path, filename: str, md5: str | None) -> None:
    """`download_url` from the first mirror that has the file.

    Errors: RuntimeError with the reason of each mirror if none has.
    """
    reasons = []
    for mirror in mirrors:
        try:
            return download_url(mirror + filename, root, filename, md5)
        except RuntimeError as error:
            reasons.append(str(error))
    raise RuntimeError("\n".join(reasons))


def extract_archive(path: str | Path, folder: str | Path) -> None:
    """Unpack a .zip or .tar(.gz) file; members that would land outside `folder` are refused."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")


def download_and_extract_archive(
    url: str,
    download_root: str | Path,
    extract_root: str | Path | None = None,
    filename: str | None = None,
    md5: str | None = None,
) -> None:
    """`download_url`, then `extract_archive` into `extract_root` (default: the same folder)."""
    name = filename or Path(url).name
    download_url(url, download_root, name, md5)
    extract_archive(Path(download_root).expanduser() / name, extract_root or download_root)


def _fetch(url: str, target: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "flambeau"})
    with urllib.request.urlopen(request, timeout=_SECONDS_TO_CONNECT) as response, open(target, "wb") as file:
        total = int(response.headers.get("Content-Length", 0))
        progress = _Progress(url, total)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            progress.add(len(chunk))
    if total and progress.done < total:
        raise urllib.error.URLError(f"the connection ended after {progress.done} of {total} bytes")


class _Progress:
    """Prints how far a download is, at each tenth."""

    def __init__(self, url: str, total: int) -> None:
        self.name, self.total, self.done, self.tenths = Path(url).name, total, 0, 0
        print(f"Downloading {url}", file=sys.stderr)

    def add(self, count: int) -> None:
        self.done += count
        if self.total and self.done * 10 // self.total > self.tenths:
            self.tenths = self.done * 10 // self.total
            print(f"{self.name}: {self.tenths * 10} % of {self.total / 1e6:.1f} MB", file=sys.stderr)
