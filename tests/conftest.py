"""Fixtures that several folders of tests use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import jc3d.models
from jc3d import infer
from jc3d.models import create, save_weights


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run in another folder than the source tree, so that child processes import the installed package."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands in for the packaged weights, with one untrained model in it: ``toy``, an implicit-480."""
    folder = tmp_path / "weights"
    folder.mkdir()
    save_weights(folder / "toy.safetensors", create("implicit-480", seed=2), {"val_miou": 0.123})
    monkeypatch.setattr(jc3d.models, "_weights_folder", lambda: folder)
    caches = (jc3d.models._names_by_fingerprint, infer._packaged_codec)
    for cache in caches:
        cache.cache_clear()
    yield folder
    for cache in caches:
        cache.cache_clear()
