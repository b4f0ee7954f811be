"""About how long a run takes."""

from pathlib import Path
from typing import Any

import pytest
import torch
import train_tiny

from jc3d.models import RnnCompressor, create
from jc3d.train.checkpoints import NEWEST, load_weights, path_of
from jc3d.train.duration import StepBench, measure, seconds_to_render


@pytest.mark.parametrize("preset", ["r2n2-small", "rnn-small"])
def test_steps_and_validations_are_measured_and_added_up(
    preset: str, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    found = measure(train_tiny.config(shards, tmp_path, preset, batch_size=2, val_objects=4), budget=0.0)
    assert (found.measured_steps, found.own_data) == (2, True)
    assert found.step == 2.0  # a tick to load, one to learn
    # One batch is scored, and before it the norms of r2n2-small see two.
    assert found.validation == (1.0 if preset == "rnn-small" else 3.0)
    assert found.total == 6 * found.step + (3 + 2) * found.validation
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert list(tmp_path.iterdir()) == []


def test_a_generated_object_stands_in_for_data_that_are_not_there(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Size] = []
    forward = RnnCompressor.forward

    def watched(self: RnnCompressor, images: torch.Tensor, iterations: int) -> Any:
        seen.append(images.shape)
        return forward(self, images, iterations)

    monkeypatch.setattr(RnnCompressor, "forward", watched)
    changes = {"batch_size": 2, "val_objects": 1, "min_views": 2, "max_views": 2, "iterations": 1}
    config = train_tiny.config(shards, tmp_path, "rnn-small", data=(f"shards={tmp_path}/none",), **changes)
    found = measure(config, budget=0.0)
    assert not found.own_data
    assert 0 < found.step < found.total
    assert seen == [(4, 3, 128, 128)] * 3 + [(5, 3, 128, 128)]


@pytest.mark.parametrize(("preset", "precision"), [("r2n2-small", "32-true"), ("implicit-384", "bf16-mixed")])
@pytest.mark.filterwarnings("ignore:precision")
def test_a_measured_step_is_a_step_of_the_loop(preset: str, precision: str, shards: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="the train extra is not installed")
    from jc3d.train import train

    changes = {"steps": 1, "checkpoint_every": 1, "warmup": 0, "batch_size": 2, "max_views": 1, "val_objects": 1}
    config = train_tiny.config(shards, tmp_path, preset, precision=precision, learning_rate=1e-2, **changes)
    with torch.random.fork_rng():
        bench = StepBench(config, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        before = {name: parameter.clone() for name, parameter in bench.model.named_parameters()}
        train(config)  # first, as it sets the number of threads
        bench.step(0)
    ours, theirs = dict(bench.model.named_parameters()), create(preset)
    load_weights(path_of(config, NEWEST), theirs)
    moved = 0
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(ours[name].cpu(), parameter, rtol=1e-4, atol=1e-6)
        moved += not torch.equal(before[name].cpu(), parameter)
    assert moved > 0.8 * len(before)


def test_rendering_is_measured(shards: Path) -> None:
    assert seconds_to_render(f"shards={shards}", views=2) > 0
