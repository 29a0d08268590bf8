"""`python -m reconcheck`."""

from reconcheck.cli.main import entry

if __name__ == "__main__":
    entry()
