"""``python -m optiproxy``: the command line without the script."""

from __future__ import annotations

from optiproxy.cli.main import main

if __name__ == "__main__":
    main()
