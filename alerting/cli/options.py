"""Many options of a command as one value."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Options = TypeVar("Options")


def gathered(
    options: Callable[..., Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Hands a command its options and arguments as one value, such as a frozen dataclass whose
    fields have their names. Stands between click's decorators and the function.
    """

    def decorate(command: Callable[[Options], None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: object) -> None:
            command(options(**given))

        return run

    return decorate
