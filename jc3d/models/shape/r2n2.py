"""3D-R2N2, variant *3D-LSTM-3*: views to float codes, codes to an occupancy grid ([J] §II-C).

    views ──encoder──> code ──linear──> gates ─┐
                                               ├─ 3D-LSTM (one step a view) ──> h ──decoder──> occupancy
                        previous h ──3³ conv───┘

The widths are those of the first author's implementation. Small presets change widths, and one piece: their code is a
map that is unprojected into space (:class:`jc3d.nn.UnprojectedGates`) where the paper has a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from jc3d.models.capabilities import ExportPart
from jc3d.models.model import Model, check_iterations
from jc3d.models.registry import register
from jc3d.models.shape import parts
from jc3d.models.shape.config import R2N2Config
from jc3d.models.shape.reconstruction import CodeReading, Reconstruction
from jc3d.models.shape.view_encoder import ViewEncoder
from jc3d.nn.conv_block import NEGATIVE_SLOPE
from jc3d.nn.deterministic import one_thread

_VIEWS_AT_ONCE = 32  # bounds the memory of the encoder, some 2 MB a view at the paper's widths


R2N2_PAPER = R2N2Config(name="r2n2-paper")

# Designed for training on two CPU cores: a stride of four first, a code that is an 8×8 map and unprojected into
# space, and nothing but the two logits at 32³. docs/decisions/small-presets.md has the reasons.
R2N2_SMALL = R2N2Config(
    name="r2n2-small",
    encoder_channels=(64, 96, 192, 16),
    encoder_kernels=(7, 3, 3, 3),
    encoder_strides=(4, 2, 2, 1),
    encoder_residuals=(0, 1, 2, 0),
    downsample="stride",
    code_side=8,
    unproject_channels=4,
    unproject_side=32,
    skip_features=True,
    hidden_channels=32,
    cell_side=8,
    refine_channels=(64,),
    up_channels=(32,),
    head_channels=(),
    norm=True,
)


@register("r2n2", R2N2Config, presets=[R2N2_SMALL, R2N2_PAPER])
class R2N2(Reconstruction, Model):
    """3D-LSTM-3: float codes, 32·K bits a view (12:1 at K = 1024)."""

    config: R2N2Config
    task: ClassVar[str] = "shape"

    def _make_front(self) -> None:
        self.encoder = ViewEncoder(self.config)
        self.head = self._make_head(self.config)

    @property
    def packed_codes(self) -> bool:
        """Whether codes may also come as packed bits."""
        return self.config.binary

    def _make_head(self, config: R2N2Config) -> nn.Module:
        if config.unproject_channels:
            return nn.Flatten()  # the code is the map
        features = config.encoder_channels[-1] * config.code_side**2
        return nn.Sequential(
            nn.LeakyReLU(NEGATIVE_SLOPE),
            nn.Flatten(),
            nn.Linear(features, config.code_size),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )

    # Differentiable path -------------------------------------------------------------------------------------------

    def codes_of_views(self, views: Tensor) -> Tensor:
        """Differentiable codes, (N, 3, 128, 128) in [0, 1] -> (N, K)."""
        return self._codes_of_features(self.encoder(views))

    def _codes_of_features(self, features: Tensor) -> Tensor:
        codes: Tensor = self.head(features)
        return codes[:, : self.config.code_size]

    def read_views(self, views: Tensor) -> CodeReading:
        """:meth:`read` of the codes of (B, V, 3, 128, 128) views in [0, 1], V of each of B objects."""
        return self.read(self.codes_of_views(views.flatten(0, 1)).unflatten(0, views.shape[:2]))

    def forward(self, views: Tensor) -> Tensor:
        """(B, V, 3, 128, 128) views in [0, 1] -> logits (B, 2, 32, 32, 32) after the last, by the most likely poses."""
        return self.logits(self.read_views(views))

    # Inference path ------------------------------------------------------------------------------------------------

    @property
    def reconstruction(self) -> Self:
        """Itself, see :class:`jc3d.models.capabilities.ReconstructsShape`."""
        return self

    @torch.inference_mode()
    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        """:meth:`encode` as bytes, see :meth:`jc3d.models.model.Model.compress`."""
        check_iterations(self.config, 1 if iterations is None else iterations)
        self.check_refinement(refinement_steps)
        return self._pack(images).unsqueeze(1)

    def _pack(self, views: Tensor) -> Tensor:
        """(N, bytes) of (N, 3, 128, 128) views."""
        numbers = self.encode(views).cpu().numpy().astype("<f4")
        return torch.from_numpy(numbers.view("u1")).to(views.device)

    def shape_inputs(self, packed: Tensor) -> Tensor:
        """The numbers of the codes, see :class:`jc3d.models.capabilities.ReconstructsShape`."""
        numbers = packed[:, 0].cpu().contiguous().numpy().view("<f4").astype("f4")
        return torch.from_numpy(numbers).to(packed.device)

    def export_parts(self) -> dict[str, ExportPart]:
        """Encoder, step and decoder, see :mod:`jc3d.models.shape.parts`."""
        return parts.export_parts(self)

    @torch.inference_mode()
    def encode(self, views: Tensor) -> Tensor:
        """Codes of views, batch-invariant: on one machine and software a view has one code.

        Convolution libraries choose their summation order by batch size and thread count. Max-pool encoders use kernels
        with a fixed summation order; all other layers process one view at a time on one thread.

        Args:
            views: (N, 3, 128, 128) float32 in [0, 1].

        Returns:
            (N, K) float32.

        Raises:
            ValueError: wrong shape, or the model is in training mode.
        """
        codes = self._each(views, self._codes_of_features)
        return torch.cat(codes) if codes else views.new_empty(0, self.config.code_size, dtype=torch.float32)

    def _each(self, views: Tensor, function: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """What a function gives for the features of each view."""
        size = self.config.image_size
        if views.dim() != 4 or views.shape[1:] != (3, size, size):
            raise ValueError(f"views: expected (N, 3, {size}, {size}), got {tuple(views.shape)}")
        results: list[Tensor] = []
        with self._inference(views.device):
            views = views.float()
            if self.encoder.in_kernels(views):
                for some in views.split(_VIEWS_AT_ONCE):
                    features = self.encoder(some)
                    with one_thread():
                        results += [function(each.clone()) for each in features.split(1)]
            else:
                with one_thread():
                    results += [function(self.encoder(each.clone())) for each in views.split(1)]
        return results
