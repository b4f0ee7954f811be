"""Renders a source once into memory-mapped shards.

Rendering costs more than a training step of the small models on a CPU, so several trainings share one set of shards.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from jc3d.data.samples import Split, stack
from jc3d.data.sources.shards import SHARD_ARRAYS
from jc3d.data.sources.spec import SourceSpec
from jc3d.io.atomic import atomic_write

SHARD_OBJECTS = 256


def prerender(
    source: str,
    out: Path,
    split: Split = "train",
    *,
    count: int,
    first: int = 0,
    views: int = 6,
    workers: int | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> int:
    """Writes the shards of one split of a source that are not there yet.

    Args:
        source: as :class:`~jc3d.data.sources.SourceSpec` parses it.
        out: folder of the shards; the split has a folder of its name in it.
        split: of the source.
        count: objects.
        first: number of the first one, for runs that share the work.
        views: of an object.
        workers: processes; None: one a core.
        progress: called with the number of objects that are done, new or not.

    Returns:
        The number of objects that were written.

    Raises:
        ValueError: a number is out of range, the source is none, or the folder holds shards of other settings.
        OSError: a file cannot be written.
    """
    for name, value, least in (("count", count, 1), ("first", first, 0), ("views", views, 1)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    SourceSpec.parse(source)
    folder = out / split
    _agree_with_manifest(folder, {"source": source, "split": split, "views": views})
    starts = range(first, first + count, SHARD_OBJECTS)
    sizes = [min(SHARD_OBJECTS, first + count - start) for start in starts]
    done = written = 0
    with ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        jobs = [
            pool.submit(prerender_shard, source, split, folder, start, size, views)
            for start, size in zip(starts, sizes, strict=True)
        ]
        for job, size in zip(jobs, sizes, strict=True):
            written += job.result()
            done += size
            progress(done)
    return written


def prerender_shard(spec: str, split: Split, folder: Path, first: int, count: int, views: int) -> int:
    """Writes one shard, samples ``first`` to ``first + count - 1`` of a source, if it is not there yet.

    Sample i is object ``i % len(source)`` with the seed ``i // len(source)``, so a small source is seen again with new
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
