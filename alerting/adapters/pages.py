"""Web pages from templates/pages. They belong to the product, not to the rulebook: the code behind
them must fit them.
"""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerting.adapters.mail.email.filters import filters


class Pages:
    """Renders a page by its file name; everything is escaped."""

    def __init__(self, folder: Path, *, has_mailbox: bool) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(filters())
        self._environment.globals.update(has_mailbox=has_mailbox, utc=ZoneInfo("UTC"))

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """The HTML of the page template `name`. Raises UndefinedError for a missing fact."""
        return self._environment.get_template(name).render({"links": [], **facts})
