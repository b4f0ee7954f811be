"""Fixtures that several folders of tests use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from jc3d.models import create, save_weights


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run in another folder than the source tree, so that child processes import the installed package."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture(scope="session")
def toy_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an untrained model, an implicit-480."""
    path = tmp_path_factory.mktemp("weights") / "toy.safetensors"
    save_weights(path, create("implicit-480", seed=2), {"val_miou": 0.123})
    return path


@pytest.fixture
def weights(toy_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands in for the packaged weights, with one untrained model in it: ``toy``, an implicit-480."""
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(toy_weights, folder)
    zoo, codecs = import_module("jc3d.models.packaged"), import_module("jc3d.infer.packaged")
    monkeypatch.setattr(zoo, "_weights_folder", lambda: folder)
    caches = (zoo._names_by_fingerprint, codecs._packaged_codec)
    for cache in caches:
        cache.cache_clear()
    yield folder
    for cache in caches:
        cache.cache_clear()
