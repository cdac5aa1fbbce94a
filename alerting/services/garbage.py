"""Work on thousands of customers at a time makes no cycles: looking for garbage as often as Python
does costs a fifth.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for garbage seldom while thousands of values live as long as their share of the work."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
