"""`python -m hostagent`."""

import sys

from hostagent.cli import main

if __name__ == "__main__":
    sys.exit(main())
