//! The contract between compiler and proxy: program, state, release, manifest, canonical bytes, signatures.
