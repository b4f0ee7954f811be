"""Families and presets: found by place, under names of their own."""

from dataclasses import dataclass

import pytest

from jc3d.models import R2N2Config, registry
from jc3d.models.model import CodeFormat, Model, ModelConfig


@dataclass(frozen=True)
class StillConfig(ModelConfig):
    """Of a model that does nothing."""

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        return CodeFormat(8, binary=True)


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    registry.presets()
    monkeypatch.setattr(registry, "_families", dict(registry._families))
    monkeypatch.setattr(registry, "_presets", dict(registry._presets))


def test_a_family_is_registered_with_its_presets(families: None) -> None:
    @registry.register("still", StillConfig, presets=[StillConfig("still-8")])
    class Still(Model):
        task = "none"

        def compress(self, images, iterations=None, refinement_steps=0):
            raise NotImplementedError

    assert StillConfig.family == "still"
    assert registry.family("still") == (Still, StillConfig)
    assert isinstance(registry.build(registry.preset("still-8")), Still)
    assert registry.preset("still-8").ratio == 128 * 128 * 24 / 8
    with pytest.raises(ValueError, match="register: expected new names, got still, still-8, registered already"):
        registry.register("still", StillConfig, presets=[StillConfig("still-8")])(Still)


def test_a_name_is_not_taken_twice(families: None) -> None:
    with pytest.raises(ValueError, match="register: expected new names, got implicit-384, registered already"):
        registry.register("still", StillConfig, presets=[StillConfig("implicit-384")])(Model)
    assert "still" not in registry._families


def test_a_config_class_is_of_one_family(families: None) -> None:
    with pytest.raises(ValueError, match="config: expected a class of this family alone, got R2N2Config of r2n2"):
        registry.register("other", R2N2Config)(Model)
    assert "other" not in registry._families


def test_an_unknown_family_lists_the_known() -> None:
    with pytest.raises(ValueError, match="family: expected one of direct, implicit, r2n2, rnn, sequential, got 'gan'"):
        registry.family("gan")


def test_every_family_says_what_trains_it() -> None:
    registry.presets()
    assert {name: kind.model.task for name, kind in registry._families.items()} == {
        "direct": "joint",
        "implicit": "shape",
        "r2n2": "shape",
        "rnn": "image",
        "sequential": "joint",
    }
