//! Fields by which a caller could claim an identity.

/// Fields that only the mesh itself may set: removed from every request.
pub(super) fn is_identity(name: &[u8]) -> bool {
    name.starts_with(b"x-mesh-")
        || matches!(name, b"x-forwarded-client-cert" | b"x-source-service" | b"x-target-service")
}

/// Fields about the way of a request, removed from a stranger's: what is behind the mesh may take them for the mesh's
/// own word.
pub(super) fn is_forgeable(name: &[u8]) -> bool {
    name.starts_with(b"x-forwarded-") || matches!(name, b"forwarded" | b"x-real-ip")
}
