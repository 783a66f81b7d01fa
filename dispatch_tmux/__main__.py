"""The entry point: `dispatch` and `python -m dispatch_tmux`."""

import sys

from dispatch_tmux import __version__


def main() -> None:
    if sys.argv[1:] == ["--version"]:  # before click, which takes three times as long to load as Python to start
        print(f"dispatch, version {__version__}")
        return
    from dispatch_tmux.cli import main as cli

    cli.main()


if __name__ == "__main__":
    main()
