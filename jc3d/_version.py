"""The version of the package: the only place that holds it (setuptools reads it from here)."""

__version__ = "0.1.0"
