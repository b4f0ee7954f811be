"""The measures, a file a kind of result, each beside its words and its tables; see :mod:`.registry`."""
