"""The command line."""

import sys

from alerting.cli.commands import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
