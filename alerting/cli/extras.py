"""Parts of the product that are installed only where somebody wants them."""

from collections.abc import Iterator
from contextlib import contextmanager

from alerting.domain.errors import ExtraMissing


@contextmanager
def discover_extra() -> Iterator[None]:
    """Imports inside may miss numpy, scipy or scikit-learn. Raises ExtraMissing that says how to
    get them.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"numpy", "scipy", "sklearn"}:
            raise
        raise ExtraMissing(
            f"this needs {missing}; install it: pip install 'alerting[discover]'"
        ) from error
