"""Codes of views and the ``.jc3d`` files that hold them."""

from __future__ import annotations

from jc3d.codec.codes import Codes, Prefix

__all__ = ["Codes", "Prefix"]
