"""Files: written whole or not at all, pictures that come in, grids in the .binvox format."""
