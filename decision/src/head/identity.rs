//! Fields by which a stranger could claim something about the way of a request.

/// Fields about the way of a request, removed from a stranger's: what is behind the mesh may take them for the mesh's
/// own word. Those of identities ([`mesh_bundle::message::is_identity`]) are removed from everybody's.
pub(super) fn is_forgeable(name: &[u8]) -> bool {
    name.starts_with(b"x-forwarded-") || matches!(name, b"forwarded" | b"x-real-ip")
}
