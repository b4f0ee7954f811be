"""What several tasks are tried on."""

import pytest
import torch

from jc3d.data.samples import ObjectSample


@pytest.fixture
def batch() -> ObjectSample:
    """Two objects of two views, the first with an ambiguous front."""
    generator = torch.Generator().manual_seed(0)
    return ObjectSample(
        torch.randint(0, 256, (2, 2, 3, 128, 128), dtype=torch.uint8, generator=generator),
        torch.rand(2, 32, 32, 32, generator=generator) < 0.2,
        torch.tensor([0, 1]),
        torch.tensor([True, False]),
        torch.tensor([[[10.0, 26.0, 1.5], [100.0, 27.0, 1.4]], [[200.0, 28.0, 1.8], [330.0, 29.0, 1.2]]]),
    )
