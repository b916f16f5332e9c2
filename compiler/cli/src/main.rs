//! The mesh compiler's command line.

fn main() {}
