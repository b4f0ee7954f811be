import random

import pytest

from jc3d.codec.crc import crc32c_ref
from jc3d.ops._extension import extension

# RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
VECTORS = [
    (b"", 0x00000000),
    (b"123456789", 0xE3069283),
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
]


@pytest.fixture(params=["scalar", "avx2"])
def crc32c(request):
    """The table and the instruction."""
    module = extension().module
    if module is None:
        pytest.skip(extension().reason)
    module.limit_cpu_level(getattr(module.CpuLevel, request.param))
    yield module.crc32c
    module.limit_cpu_level(module.CpuLevel.avx512)


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_known_vectors(crc32c, data, expected):
    assert crc32c(data) == expected


def test_equals_python(crc32c):
    for size in range(70):
        data = random.Random(size).randbytes(size)
        assert crc32c(data) == crc32c_ref(data)


def test_continues(crc32c):
    data = random.Random(1).randbytes(1000)
    for cut in (0, 1, 7, 8, 500, 1000):
        assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data)


def test_takes_bytes_only(crc32c):
    with pytest.raises(TypeError):
        crc32c("text")
