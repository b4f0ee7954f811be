"""What several tests of training start from."""

from pathlib import Path

import pytest
import tiny_shards
import train_tiny


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shards.write(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="session")
def finished(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run of r2n2-small that came to its end."""
    from jc3d.train import train

    out = tmp_path_factory.mktemp("whole")
    train(train_tiny.config(shards, out))
    return out
