"""Analytic ray casting of shapes: every ray against every part it may meet, batched over pixels, views and objects.

An affine map keeps the parameter t of a ray, so each ray is carried into a part's own coordinates and solved against
the unit solid there.  The steps, each one tensor operation over a flat list:

    (view, part) pairs → the part's rectangle on the screen → (pair, pixel) rays → 1/t of the nearest hit
        → z-buffer: the largest 1/t of each pixel (scatter by maximum, ties to the lower part: no race)
        → shading of the winners alone → edges softened

Solving for 1/t saves the divisions: for a plane it is linear in the pixel's coordinates, and the coefficients belong to
the pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from jc3d.data.procedural.primitives import Kind, Shape, invert, unit_corners
from jc3d.data.shading import BACKGROUND, Light, light_rows, shade
from jc3d.geometry.cameras import TAN_HALF_FOV, Camera, CameraFrames, camera_frames, pixel_offsets

_CHUNK_VIEWS_CPU = 8  # views cast at once: enough work an operation, small enough for the cache
_CHUNK_VIEWS = 256  # the same on a GPU, where more is better until memory ends
_NEVER = 1e30  # stands for the 1/t of a plane that a ray does not enter by
_PART_BITS = 20  # low bits of a z-buffer key: the part within its shape
_LAST_PART = (1 << _PART_BITS) - 1


class Hits(NamedTuple):
    """What the cameras see: N views of S x S pixels.

    Attributes:
        part: (N, S, S) int64, index of the part seen within its shape; -1 for background.
        depth: (N, S, S) float32, distance along the camera's axis, in object units; infinite for background.
    """

    part: Tensor
    depth: Tensor


def render(
    shapes: Sequence[Shape],
    cameras: Sequence[Sequence[Camera]],
    lights: Sequence[Light],
    image_size: int = 128,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draws views of objects on white.

    A view depends on its own shape, camera and light only: it is the same, bit for bit, alone and in any batch.

    Args:
        shapes: B normalised objects.
        cameras: B lists of V cameras.
        lights: B lights, one an object.
        image_size: S, in pixels.
        device: where to compute.

    Returns:
        (B, V, 3, S, S) uint8 on ``device``; row 0 is the top.

    Raises:
        ValueError: the lengths do not fit.
    """
    if len(lights) != len(shapes):
        raise ValueError(f"lights: expected one for each of the {len(shapes)} shapes, got {len(lights)}")
    views = len(cameras[0]) if cameras else 0
    chunks = _cast(shapes, cameras, light_rows(lights), image_size, torch.device(device))
    image = [_image(chunk, image_size) for chunk in chunks]
    if not image:
        return torch.empty((len(shapes), views, 3, image_size, image_size), dtype=torch.uint8, device=device)
    return torch.cat(image).reshape(len(shapes), views, 3, image_size, image_size)


def cast(
    shapes: Sequence[Shape],
    cameras: Sequence[Sequence[Camera]],
    image_size: int = 128,
    device: torch.device | str = "cpu",
) -> Hits:
    """Finds which part each pixel sees and how far away; arguments as for :func:`render`, the views flattened."""
    parts, depths = [torch.empty(0, dtype=torch.int64)], [torch.empty(0)]
    for chunk in _cast(shapes, cameras, torch.zeros(len(shapes), 7), image_size, torch.device(device)):
        parts.append(chunk.part.cpu())
        depths.append(1.0 / chunk.nearness.cpu())
    shape = (-1, image_size, image_size)
    return Hits(torch.cat(parts).reshape(shape), torch.cat(depths).reshape(shape))


class _Pairs(NamedTuple):
    """Q pairs of a view and a part of the object it sees; float64."""

    view: Tensor  # (Q,) int64
    part: Tensor  # (Q,) int64, within its shape
    kind: Tensor  # (Q,) int64
    taper: Tensor  # (Q, 3)
    colour: Tensor  # (Q, 3)
    linear: Tensor  # (Q, 3, 3), object to part
    origin: Tensor  # (Q, 3), the camera in part coordinates
    forward: Tensor  # (Q, 3), its axes in part coordinates: a ray is forward + px * right + py * up
    right: Tensor  # (Q, 3)
    up: Tensor  # (Q, 3)
    column: Tensor  # (Q,) int64, the rectangle of pixels that may meet the part
    row: Tensor  # (Q,) int64
    width: Tensor  # (Q,) int64
    height: Tensor  # (Q,) int64


class _Chunk(NamedTuple):
    """A few consecutive views after the z-buffer."""

    pairs: _Pairs
    first_pair: Tensor  # (n,) int64, of each view
    frames: CameraFrames  # n cameras
    lights: Tensor  # (n, 7) float32
    part: Tensor  # (n · S · S,) int64, winner or -1
    nearness: Tensor  # (n · S · S,) float32, 1/t of the winner, 0 for background


class _Rays(NamedTuple):
    """R spans (a pair on one row of pixels) and their T pixels; a ray is forward + px * right + py * up."""

    pair: Tensor  # (R,) int64
    py: Tensor  # (R,) float64
    span: Tensor  # (T,) int64
    px: Tensor  # (T,) float32
    pixel: Tensor  # (T,) int64, within the chunk


def _cast(
    shapes: Sequence[Shape],
    cameras: Sequence[Sequence[Camera]],
    lights: Tensor,
    image_size: int,
    device: torch.device,
) -> Iterator[_Chunk]:
    """Casts all views, a chunk at a time."""
    if len(cameras) != len(shapes):
        raise ValueError(f"cameras: expected a list for each of the {len(shapes)} shapes, got {len(cameras)}")
    if len({len(row) for row in cameras}) > 1:
        raise ValueError(f"cameras: expected the same number for every shape, got {[len(row) for row in cameras]}")
    flat = [camera for row in cameras for camera in row]
    owner = [index for index, row in enumerate(cameras) for _ in row]
    step = _CHUNK_VIEWS_CPU if device.type == "cpu" else _CHUNK_VIEWS
    for start in range(0, len(flat), step):
        owners = owner[start : start + step]
        seen = [shapes[index] for index in owners]
        diagonals = torch.tensor([shape.diagonal for shape in seen], dtype=torch.float64)
        frames = camera_frames(flat[start : start + step], diagonals)
        pairs, first_pair = _pair_up(seen, frames, image_size)
        pairs = _Pairs(*(field.to(device) for field in pairs))
        keys = torch.zeros(len(seen) * image_size * image_size, dtype=torch.int64, device=device)
        for kind, solve in _SOLVERS.items():
            chosen = torch.nonzero(pairs.kind == kind).squeeze(1)
            if len(chosen):
                rays = _expand(pairs, chosen, image_size)
                near = solve(_Pairs(*(field[chosen] for field in pairs)), rays)
                hit = torch.nonzero(near > 0.0).squeeze(1)
                near, pair = _take(near, hit), chosen[rays.pair[_take(rays.span, hit)]]
                # The bits of positive floats sort as the floats do.
                key = (near.view(torch.int32).long() << _PART_BITS) | (_LAST_PART - pairs.part[pair])
                keys.scatter_reduce_(0, _take(rays.pixel, hit), key, "amax")
        yield _Chunk(
            pairs=pairs,
            first_pair=first_pair.to(device),
            frames=CameraFrames(*(field.to(device) for field in frames)),
            lights=lights[owners].to(device),
            part=torch.where(keys > 0, _LAST_PART - (keys & _LAST_PART), -1),
            nearness=(keys >> _PART_BITS).int().view(torch.float32),
        )


def _pair_up(seen: Sequence[Shape], frames: CameraFrames, image_size: int) -> tuple[_Pairs, Tensor]:
    """Pairs every view with the parts of its shape, and finds the rectangle of pixels that each may cover."""
    counts = torch.tensor([len(shape.kind) for shape in seen])
    first = counts.cumsum(0) - counts
    view = torch.repeat_interleave(torch.arange(len(seen)), counts)
    matrix = torch.from_numpy(np.concatenate([shape.world_to_part for shape in seen]))
    linear = matrix[:, :, :3]
    kind = np.concatenate([shape.kind for shape in seen])
    taper = np.concatenate([shape.taper for shape in seen])

    def in_part(vector: Tensor) -> Tensor:
        return _transform(linear, vector[view])

    # Corners of a box about each part, in the camera's frame.
    corners = torch.from_numpy(unit_corners(kind, taper))
    inverse = torch.from_numpy(invert(matrix.numpy()))
    points = _transform(inverse[:, None, :, :3], corners) + (inverse[:, :, 3] - frames.origin[view])[:, None]
    depth = _dot(points, frames.forward[view][:, None])
    across = _dot(points, frames.right[view][:, None]) / depth
    down = -_dot(points, frames.up[view][:, None]) / depth
    behind = (depth <= 1e-6).any(1)
    sides = []
    for offsets in (across, down):
        place = (offsets / TAN_HALF_FOV + 1.0) * (image_size / 2) - 0.5
        low = place.amin(1).nan_to_num().clamp(0, image_size).masked_fill(behind, 0.0).ceil().long()
        high = place.amax(1).nan_to_num().clamp(-1, image_size - 1).masked_fill(behind, image_size - 1).floor().long()
        sides.append((low, (high - low + 1).clamp(min=0)))
    (column, width), (row, height) = sides
    pairs = _Pairs(
        view=view,
        part=torch.arange(len(view)) - first[view],
        kind=torch.from_numpy(kind),
        taper=torch.from_numpy(taper),
        colour=torch.from_numpy(np.concatenate([shape.colour for shape in seen])),
        linear=linear,
        origin=in_part(frames.origin) + matrix[:, :, 3],
        forward=in_part(frames.forward),
        right=in_part(frames.right),
        up=in_part(frames.up),
        column=column,
        row=row,
        width=width,
        height=height,
    )
    return pairs, first


def _expand(pairs: _Pairs, chosen: Tensor, image_size: int) -> _Rays:
    """Lists the pixels of the chosen pairs' rectangles; ``pair`` counts within the chosen."""
    device = chosen.device
    height, width, column = pairs.height[chosen], pairs.width[chosen], pairs.column[chosen]
    pair = torch.repeat_interleave(torch.arange(len(chosen), device=device), height)
    row = torch.arange(len(pair), device=device) - (height.cumsum(0) - height - pairs.row[chosen])[pair]
    length = width[pair]
    span = torch.repeat_interleave(torch.arange(len(pair), device=device), length)
    # Position along the flat list less this span's start gives the place within the span.
    shift = column[pair] - (length.cumsum(0) - length)
    offsets = pixel_offsets(image_size, device)
    place = torch.arange(len(span), device=device)
    base = (pairs.view[chosen][pair] * image_size + row) * image_size
    col = place + _take(shift, span)
    return _Rays(pair, -offsets[row], span, _take(offsets.float(), col), col + _take(base, span))


def _solve_polytope(pairs: _Pairs, rays: _Rays) -> Tensor:
    """Casts rays at convex solids given as half-spaces; for all solvers: (T,) float32 1/t, not positive for a miss.

    In 1/t the entry is the least over the planes the camera lies outside of, the exit the greatest over the others.
    """
    planes = _planes(pairs)  # (Q, K, 4)

    def against(vector: Tensor) -> Tensor:
        return _dot(planes[..., :3], vector[:, None])

    clearance = planes[..., 3] - against(pairs.origin)
    clearance = torch.where(clearance.abs() < 1e-9, 1e-9, clearance)
    forward, right, up = (against(axis) / clearance for axis in (pairs.forward, pairs.right, pairs.up))
    outside = clearance < 0.0
    constant = (forward[rays.pair] + rays.py[:, None] * up[rays.pair]).float().T.contiguous()  # (K, R)
    slope = right.float()[rays.pair].T.contiguous()
    entering = outside[rays.pair].T.contiguous()
    enter = torch.full_like(rays.px, _NEVER)
    leave = torch.zeros_like(rays.px)
    for k in range(planes.shape[1]):
        nearness = _take(constant[k], rays.span) + _take(slope[k], rays.span) * rays.px
        enters = _take(entering[k], rays.span)
        enter = torch.minimum(enter, torch.where(enters, nearness, _NEVER))
        leave = torch.maximum(leave, torch.where(enters, 0.0, nearness))
    return torch.where((enter > leave) & (enter < _NEVER), enter, 0.0)


_BEVEL_FACES = [face for face in product((-1.0, 0.0, 1.0), repeat=3) if 1 <= sum(map(abs, face)) <= 2]


def _planes(pairs: _Pairs) -> Tensor:
    """Half-spaces n · p ≤ m of BOX (6) or BEVEL (18) solids: (Q, K, 4) float64, rows (n, m)."""
    taper = pairs.taper
    if int(pairs.kind[0]) == Kind.BEVEL:
        faces = torch.tensor(_BEVEL_FACES, dtype=taper.dtype, device=taper.device)  # (18, 3) signs
        normals = faces / taper[:, None]
        reach = (faces.abs() / taper[:, None]).sum(2)
        limits = reach - (faces.abs().sum(1) - 1.0)
        planes = torch.cat((normals, limits[:, :, None]), dim=2)
        return planes / reach[:, :, None]
    taper = taper[:, :2]
    slope, middle = (taper - 1.0) / 2.0, (taper + 1.0) / 2.0
    zero, one = torch.zeros_like(slope[:, 0]), torch.ones_like(slope[:, 0])
    rows = [torch.stack((zero, sign * one, zero, one), 1) for sign in (-1.0, 1.0)]
    rows += [torch.stack((sign * one, -slope[:, 0], zero, middle[:, 0]), 1) for sign in (-1.0, 1.0)]
    rows += [torch.stack((zero, -slope[:, 1], sign * one, middle[:, 1]), 1) for sign in (-1.0, 1.0)]
    return torch.stack(rows, 1)


def _solve_ellipsoid(pairs: _Pairs, rays: _Rays) -> Tensor:
    """Casts rays at unit balls: c/t² + 2b/t + a = 0 with b linear and a quadratic in the pixel's coordinates."""
    origin, right = pairs.origin[rays.pair], pairs.right[rays.pair]
    start = pairs.forward[rays.pair] + rays.py[:, None] * pairs.up[rays.pair]
    c = _dot(origin, origin) - 1.0
    b0, b1 = -_dot(origin, start) / c, -_dot(origin, right) / c
    d0 = b0 * b0 - _dot(start, start) / c
    d1 = 2.0 * (b0 * b1 - _dot(start, right) / c)
    d2 = b1 * b1 - _dot(right, right) / c
    b0, b1, d0, d1, d2 = (_take(value.float(), rays.span) for value in (b0, b1, d0, d1, d2))
    under_root = d0 + rays.px * (d1 + rays.px * d2)
    near = b0 + rays.px * b1 + under_root.clamp(min=0.0).sqrt()
    return torch.where((under_root > 0.0) & _take(c > 0.0, rays.span), near, 0.0)


def _solve_frustum(pairs: _Pairs, rays: _Rays) -> Tensor:
    """Casts rays at truncated cones: the nearest of the two crossings of the cone and the two of the caps."""
    origin, right = pairs.origin[rays.pair], pairs.right[rays.pair]
    start = pairs.forward[rays.pair] + rays.py[:, None] * pairs.up[rays.pair]
    k = (pairs.taper[:, 0] - 1.0)[rays.pair] / 2.0
    m = k + 1.0
    section = m + k * origin[:, 1]
    c = origin[:, 0] ** 2 + origin[:, 2] ** 2 - section**2
    c = torch.where(c.abs() < 1e-9, 1e-9, c)

    def product(u: Tensor, v: Tensor) -> Tensor:  # the cone's quadratic form
        return u[:, 0] * v[:, 0] + u[:, 2] * v[:, 2] - (k * u[:, 1]) * (k * v[:, 1])

    at_origin = torch.stack((origin[:, 0], section / torch.where(k == 0.0, 1.0, k), origin[:, 2]), dim=1)
    at_origin[:, 1] = torch.where(k == 0.0, 0.0, at_origin[:, 1])
    b0, b1 = -product(at_origin, start) / c, -product(at_origin, right) / c
    d0 = b0 * b0 - product(start, start) / c
    d1 = 2.0 * (b0 * b1 - product(start, right) / c)
    d2 = b1 * b1 - product(right, right) / c
    # The cap on the camera's side of each end; from between the two planes no cap is entered.
    end = origin[:, 1].sign()
    capped = origin[:, 1].abs() > 1.0
    gap = torch.where(capped, end - origin[:, 1], 1.0)
    radius = torch.where(capped, (m + k * end) ** 2, -1.0)

    span, px = rays.span, rays.px
    b0, b1, d0, d1, d2, gap, radius = (_take(v.float(), span) for v in (b0, b1, d0, d1, d2, gap, radius))
    (x0, y0, z0), (x1, y1, z1), (ox, oy, oz) = (
        tuple(_take(axis.contiguous(), span) for axis in vector.float().unbind(1)) for vector in (start, right, origin)
    )
    dy = y0 + px * y1
    under_root = d0 + px * (d1 + px * d2)
    root = under_root.clamp(min=0.0).sqrt()
    middle = b0 + px * b1
    best = torch.zeros_like(px)
    for near in (middle + root, middle - root):
        on_side = (under_root > 0.0) & (near > 0.0) & ((oy * near + dy).abs() <= near)
        best = torch.maximum(best, torch.where(on_side, near, 0.0))
    near = dy / gap
    x, z = ox * near + (x0 + px * x1), oz * near + (z0 + px * z1)
    on_cap = (near > 0.0) & (x * x + z * z <= radius * near * near)
    return torch.maximum(best, torch.where(on_cap, near, 0.0))


_SOLVERS = {
    Kind.BOX: _solve_polytope,
    Kind.ELLIPSOID: _solve_ellipsoid,
    Kind.FRUSTUM: _solve_frustum,
    Kind.BEVEL: _solve_polytope,
}


def _image(chunk: _Chunk, image_size: int) -> Tensor:
    """Shades the winners of the z-buffer and softens edges: (n, 3, S, S) uint8."""
    pixel = torch.nonzero(chunk.part >= 0).squeeze(1)
    view = pixel // (image_size * image_size)
    pair = chunk.first_pair[view] + chunk.part[pixel]
    offsets = pixel_offsets(image_size, pixel.device).float()
    px, py = offsets[pixel % image_size][:, None], -offsets[pixel // image_size % image_size][:, None]
    pairs = chunk.pairs
    ray = pairs.forward.float()[pair] + px * pairs.right.float()[pair] + py * pairs.up.float()[pair]
    point = pairs.origin.float()[pair] + ray / chunk.nearness[pixel][:, None]
    normal = _unit(_transform(pairs.linear.float().transpose(1, 2)[pair], _gradient(pairs, pair, point)))
    frames = chunk.frames
    right, up, forward = (axis.float()[view] for axis in (frames.right, frames.up, frames.forward))
    to_camera = _unit(-(forward + px * right + py * up))
    image = torch.full((len(chunk.part), 3), BACKGROUND, device=pixel.device)
    image[pixel] = shade(normal, pairs.colour.float()[pair], to_camera, chunk.lights[view])
    size = (-1, image_size, image_size)
    soft = _soften(image.reshape(*size, 3).permute(0, 3, 1, 2).contiguous(), chunk.part.reshape(size))
    return (soft * 255.0 + 0.5).to(torch.uint8)


def _gradient(pairs: _Pairs, pair: Tensor, point: Tensor) -> Tensor:
    """Outward normals of the unit solids, in part coordinates and of any length, at points (M, 3) of their surface."""
    kind = pairs.kind[pair]
    gradient = point.clone()  # right for the ball
    for polytope in (Kind.BOX, Kind.BEVEL):
        of_kind = torch.nonzero(pairs.kind == polytope).squeeze(1)
        chosen = torch.nonzero(kind == polytope).squeeze(1)
        if len(chosen):
            planes = _planes(_Pairs(*(field[of_kind] for field in pairs))).float()
            place = torch.zeros_like(pairs.kind)
            place[of_kind] = torch.arange(len(of_kind), device=place.device)
            mine = planes[place[pair[chosen]]]  # (m, K, 4)
            excess = _dot(mine[..., :3], point[chosen][:, None]) - mine[..., 3]  # relative to the solid's size
            gradient[chosen] = mine[torch.arange(len(chosen), device=place.device), excess.argmax(1), :3]
    chosen = torch.nonzero(kind == Kind.FRUSTUM).squeeze(1)
    x, y, z = point[chosen].unbind(1)
    k = (pairs.taper[:, 0].float()[pair[chosen]] - 1.0) / 2.0
    section = 1.0 + k * (y + 1.0)
    radius = (x * x + z * z).sqrt()
    on_cap = y.abs() - 1.0 > radius - section
    zero = torch.zeros_like(x)
    side = torch.stack((x, -k * section, z), 1)
    gradient[chosen] = torch.where(on_cap[:, None], torch.stack((zero, y, zero), 1), side)
    return gradient


def _soften(image: Tensor, part: Tensor) -> Tensor:
    """Blurs pixels beside another part or the background with a 3 x 3 binomial, as a camera's optics would.

    Args:
        image: (n, 3, S, S) float32.
        part: (n, S, S) int64.
    """
    edge = torch.zeros_like(part, dtype=torch.bool)
    across, down = part[:, :, 1:] != part[:, :, :-1], part[:, 1:] != part[:, :-1]
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    rows = padded[:, :, :-2] + 2.0 * padded[:, :, 1:-1] + padded[:, :, 2:]
    blurred = (rows[..., :-2] + 2.0 * rows[..., 1:-1] + rows[..., 2:]) / 16.0
    return torch.where(edge[:, None], blurred, image)


def _dot(u: Tensor, v: Tensor) -> Tensor:
    """Dot product over the last axis in a fixed order, so that it cannot depend on the batch."""
    return u[..., 0] * v[..., 0] + u[..., 1] * v[..., 1] + u[..., 2] * v[..., 2]


def _transform(linear: Tensor, vector: Tensor) -> Tensor:
    """Multiplies (…, 3, 3) by (…, 3), in a fixed order."""
    return _dot(linear, vector[..., None, :])


def _unit(vector: Tensor) -> Tensor:
    return vector / _dot(vector, vector).sqrt().clamp(min=1e-20)[..., None]


def _take(values: Tensor, index: Tensor) -> Tensor:
    """Gathers from a vector: ``values[index]``, which on the CPU is twice as slow."""
    return values.index_select(0, index)
