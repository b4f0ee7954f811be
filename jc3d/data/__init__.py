"""Training data: procedural objects, cameras and light, meshes, folders in the layout of 3D-R2N2, images."""
