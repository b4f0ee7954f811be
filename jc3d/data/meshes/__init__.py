"""Triangle meshes: read and normalised, varied for training, rendered, voxelised."""

from jc3d.data.meshes.augment import augment
from jc3d.data.meshes.mesh import MESH_SUFFIXES, Mesh, MeshError, load_mesh, normalised
from jc3d.data.meshes.render import render
from jc3d.data.meshes.voxelize import occupancy

__all__ = ["MESH_SUFFIXES", "Mesh", "MeshError", "augment", "load_mesh", "normalised", "occupancy", "render"]
