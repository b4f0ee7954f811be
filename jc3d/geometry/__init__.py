"""Cameras, turns, faces and cells: what needs no network, no file and no random number."""
