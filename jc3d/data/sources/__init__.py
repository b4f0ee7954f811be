"""Where training and test objects come from: one interface over generated, rendered and stored ones.

A file a kind of source; :func:`register_source` beside its class is all that makes it one.
"""

from jc3d.data.sources.registry import register_source, source_kinds
from jc3d.data.sources.spec import SourceSpec

__all__ = ["SourceSpec", "register_source", "source_kinds"]
