"""``jc3d prerender``: what it writes and says."""

from pathlib import Path

import pytest

from jc3d.cli import main
from jc3d.data.sources.shards import ShardSource
from jc3d.jobs import prerender as job


def test_prerender(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SHARD_OBJECTS", 2)
    folder = tmp_path / "val"
    job.prerender_shard("procedural", "val", folder, 0, 2, 1)
    arguments = ["prerender", "procedural", str(tmp_path), "--split", "val", "--count", "3", "--views", "1"]
    assert main([*arguments, "--workers", "1"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 objects rendered, 2 were there\n"
    assert len(ShardSource(folder)) == 3


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nothing", ["--count", "1"], "data: expected one of meshes=FOLDER, procedural"),
        ("procedural", ["--count", "0"], "--count"),
        ("procedural", [], "--count"),
    ],
)
def test_bad_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, options: list[str], message: str
) -> None:
    assert main(["prerender", source, str(tmp_path), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
