"""The threading runtime."""


def is_available() -> bool:
    """Whether ops run on OpenMP threads: always True."""
    return True
