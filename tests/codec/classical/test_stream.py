"""What the formats have in common: the libraries behind them."""

from __future__ import annotations

import pytest
from classical_images import view
from PIL import features

from jc3d.codec.classical import decode_image, encode_image
from jc3d.errors import MissingExtraError


def test_a_pillow_without_a_codec_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_image(view(), "webp", ratio=48).data
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(MissingExtraError, match="Pillow was built without libwebp: pip install"):
        encode_image(view(), "webp", ratio=48)
    with pytest.raises(MissingExtraError, match="without libwebp"):
        decode_image(data)
