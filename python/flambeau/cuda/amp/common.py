"""Whether CUDA is surely absent."""

__all__ = ["amp_definitely_not_available"]


def amp_definitely_not_available():
    """True: there is no CUDA device."""
    return True
