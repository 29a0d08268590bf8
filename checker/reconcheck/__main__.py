"""`python -m reconcheck`."""

from reconcheck.cli.start import entry

if __name__ == "__main__":
    entry()
