"""Writes the files beside it: ``python tests/data/v1/make.py``, once, with the release at commit 830fb9b.

Of each packaged model the codes of two views of procedural test object 25, whole (NAME.jc3d) and, where a view has
several iterations, lowered to three (NAME-3.jc3d) and as the first bytes of the whole file that end within the sixth
(NAME.part). NAME.npz holds what that release made of them: for the key of a file ``grid`` (probabilities in steps of
1/255) and ``image`` (of the first view, uint8).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import jc3d

FOLDER = Path(__file__).resolve().parent
OBJECT, VIEWS, FEWER = 25, 2, 3


def main() -> None:
    """Command line."""
    from jc3d.data.sources import ProceduralSource  # where that release has it

    views = ProceduralSource("test").get(OBJECT, 0, VIEWS).views
    for name in jc3d.models.packaged():
        codec = jc3d.load(name)
        codes = {name: codec.encode(views)}
        if codes[name].iterations > 1:
            codes[f"{name}-{FEWER}"] = codes[name].truncate(FEWER)
            data = codes[name].to_bytes()
            (FOLDER / f"{name}.part").write_bytes(data[: len(data) * 2 // 3])
            codes[f"{name}.part"] = codes[name].truncate(5)
        found = {}
        for key, value in codes.items():
            if not key.endswith(".part"):
                value.save(FOLDER / f"{key}.jc3d")
            if codec.reconstructs:
                found[f"{key}/grid"] = (codec.reconstruct(value) * 255).round().to("cpu").byte().numpy()
            if codec.decodes:
                found[f"{key}/image"] = (codec.decode(value)[0] * 255).round().cpu().byte().numpy()
        np.savez_compressed(FOLDER / f"{name}.npz", **found)


if __name__ == "__main__":
    main()
