"""Entry point of ``python -m services.launcher``; the commands are in ``cli``."""

from services.launcher.cli import main

if __name__ == "__main__":
    main()
