"""Rendering objects to shards, and putting trained weights into the package."""
