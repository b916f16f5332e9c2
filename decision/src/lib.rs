//! What the mesh does with one request: pure, indexed, explained.
