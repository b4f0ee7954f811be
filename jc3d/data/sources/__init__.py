"""Where training and test objects come from: one interface over generated, rendered and stored ones."""

from jc3d.data.sources.spec import SourceSpec

__all__ = ["SourceSpec"]
