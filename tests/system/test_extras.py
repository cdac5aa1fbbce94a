"""Without the extra for segments everything else works."""

import subprocess
import sys
from pathlib import Path

from tests.support.customers.orders import text


def test_without_the_extra_the_rest_works_and_this_says_what_to_install(installation: Path) -> None:
    """An environment without scipy: its place is taken by a module that is not found."""
    (installation / "scipy.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'scipy'\", name='scipy')\n"
    )
    (installation / "orders.csv").write_text(text("customer,date,amount"))
    columns = ["--customer", "1", "--date", "2", "--amount", "3"]
    arguments = [
        "segments",
        "value",
        "--orders",
        "orders.csv",
        *columns,
        "--train-end",
        "1997-09-30",
    ]
    script = (
        f"import sys; sys.path.insert(0, '.'); from alerting.cli import main; main({arguments!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=installation, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "error: this needs scipy; install it: pip install 'alerting[discover]'\n"


def test_the_command_line_starts_without_loading_what_only_the_extra_needs() -> None:
    script = "import sys, alerting.cli; print({'numpy', 'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
