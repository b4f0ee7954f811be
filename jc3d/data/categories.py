"""The thirteen categories of ShapeNet that 3D-R2N2 and its successors are measured on."""

from __future__ import annotations

SYNSETS = {
    "airplane": "02691156",
    "bench": "02828884",
    "cabinet": "02933112",
    "car": "02958343",
    "chair": "03001627",
    "display": "03211117",
    "lamp": "03636649",
    "speaker": "03691459",
    "rifle": "04090263",
    "sofa": "04256520",
    "table": "04379243",
    "telephone": "04401088",
    "watercraft": "04530566",
}
"""WordNet synset of each category: the folder names of ShapeNet."""

CATEGORIES = tuple(SYNSETS)
"""Names in the order of their synsets; an object's category is an index into this."""
