"""Which wake-ups a Kubernetes operator needs, with proof.

`reconcheck.verify("app.rdsl").goal("secret").converges` is the way in (spec/api.md).  Nothing is imported before it
is used, so that `import reconcheck` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconcheck.api.verification import Certificate as Certificate
    from reconcheck.api.verification import Verdict as Verdict
    from reconcheck.api.verification import Verification as Verification
    from reconcheck.api.verification import load as load
    from reconcheck.api.verification import verify as verify
    from reconcheck.diagnostic import InternalError as InternalError
    from reconcheck.diagnostic import ModelError as ModelError
    from reconcheck.explain.trace import Trace as Trace

__version__ = "0.1.0"

_WHERE = {
    "Certificate": "reconcheck.api.verification",
    "InternalError": "reconcheck.diagnostic",
    "ModelError": "reconcheck.diagnostic",
    "Trace": "reconcheck.explain.trace",
    "Verdict": "reconcheck.api.verification",
    "Verification": "reconcheck.api.verification",
    "load": "reconcheck.api.verification",
    "verify": "reconcheck.api.verification",
}
"""The public names, and the modules that have them."""

__all__ = ["__version__", *_WHERE]


if not TYPE_CHECKING:  # a type checker would take every name for one of them

    def __getattr__(name: str) -> Any:
        """A public name, from its module, which is imported now."""
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_WHERE[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
