"""reconcheck: which wake-ups does a Kubernetes operator need?"""

__version__ = "0.1.0"
