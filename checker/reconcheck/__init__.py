"""Which wake-ups a Kubernetes operator needs, with proof."""

__version__ = "0.1.0"
