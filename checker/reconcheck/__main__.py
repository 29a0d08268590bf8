"""`python -m reconcheck`."""

import sys

from reconcheck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
