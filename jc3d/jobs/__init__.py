"""Work over many objects: rendering beforehand."""
