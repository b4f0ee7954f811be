"""Renders a source once into memory-mapped shards: ``python -m jc3d.jobs.prerender SOURCE OUT --count N``.

Rendering costs more than a training step of the small models on a CPU, so several trainings share one set of shards.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from jc3d.data.samples import Split, stack
from jc3d.data.sources.shards import SHARD_ARRAYS
from jc3d.data.sources.spec import SourceSpec
from jc3d.io.atomic import atomic_write

SHARD_OBJECTS = 256


def prerender_shard(spec: str, split: Split, folder: Path, first: int, count: int, views: int) -> int:
    """Writes one shard of objects ``first`` to ``first + count - 1`` (visits of the source in turn), if not there yet.

    Visit i is object ``i % len(source)`` with draw ``i // len(source)``, so a small source is visited again with new
    augmentation, cameras and lights.

    Returns:
        The number of objects written.
    """
    target = folder / f"shard-{first:07d}"
    if all((target / name).is_file() for name in SHARD_ARRAYS):
        stored = np.load(target / "views.npy", mmap_mode="r").shape[:2]
        if stored != (count, views):
            raise ValueError(f"{target}: expected {count} objects of {views} views, got {stored[0]} of {stored[1]}")
        return 0
    torch.set_num_threads(1)
    source = SourceSpec.parse(spec).open(split)
    batch = stack([source.get(i % len(source), i // len(source), views) for i in range(first, first + count)])
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".shard-"))
    try:
        np.save(temporary / "views.npy", batch.views.numpy())
        np.save(temporary / "grids.npy", np.packbits(batch.grid.numpy().reshape(count, -1), axis=1))
        np.save(temporary / "labels.npy", torch.stack((batch.category, batch.ambiguous_front.long()), dim=1).numpy())
        np.save(temporary / "poses.npy", batch.poses.numpy())
        if target.exists():  # of an older version
            shutil.rmtree(target)
        os.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return count


def _agree_with_manifest(folder: Path, manifest: dict[str, object]) -> None:
    """One folder holds shards of one source: the first call writes down which, later ones must say the same."""
    path = folder / "manifest.json"
    if path.is_file():
        stored = json.loads(path.read_text())
        if stored != manifest:
            raise ValueError(f"{path}: expected {manifest}, got {stored}; give another folder")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(json.dumps(manifest).encode())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m jc3d.jobs.prerender", description=__doc__)
    parser.add_argument("source", help="procedural, meshes=FOLDER or r2n2=FOLDER")
    parser.add_argument("out", type=Path, help="folder of the shards; a sub-folder a split is made in it")
    parser.add_argument("--split", choices=get_args(Split), default="train")
    parser.add_argument("--count", type=int, required=True, help="objects")
    parser.add_argument("--first", type=int, default=0, help="first object")
    parser.add_argument("--views", type=int, default=6, help="views an object")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    _agree_with_manifest(args.out / args.split, {"source": args.source, "split": args.split, "views": args.views})
    starts = range(args.first, args.first + args.count, SHARD_OBJECTS)
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(
                prerender_shard,
                args.source,
                args.split,
                args.out / args.split,
                first,
                min(SHARD_OBJECTS, args.first + args.count - first),
                args.views,
            )
            for first in starts
        ]
        done = 0
        for job in jobs:
            done += job.result()
            print(f"{done} objects", flush=True)


if __name__ == "__main__":
    main()
