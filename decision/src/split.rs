//! Splits: picks, by which a share of the requests goes to each version.

use sha2::{Digest, Sha256};

use mesh_bundle::limits::WHOLE;

/// The `n`th pick of a split: a seeded permutation of 0 to 9,999 with full period, so every
/// 10,000 in a row hold each number once. The step is the golden section of 10,000 made
/// coprime to it, which also spreads short runs evenly (Weyl sequence).
#[must_use]
pub fn pick(seed: u32, n: u64) -> u32 {
    const STEP: u64 = 6_181;
    let whole = u64::from(WHOLE);
    let value = ((n % whole) * STEP + u64::from(seed)) % whole;
    u32::try_from(value).unwrap_or(0)
}

/// The sticky pick of `key`: the first 8 bytes of SHA-256 over the canary's (or rule's)
/// address, the candidate's content id and the key, each ended by a newline, modulo 10,000. The
/// same on every proxy.
#[must_use]
pub fn sticky(address: &str, content: &str, key: &str) -> u32 {
    let mut hash = Sha256::new();
    for part in [address, content, key] {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    let first = hash.finalize().iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    u32::try_from(first % u64::from(WHOLE)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ten_thousand_in_a_row_are_exact() {
        for (seed, start) in [(0, 0), (77, 123_456), (9_999, 5_000)] {
            let mut seen = vec![0; 10_000];
            for n in start..start + 10_000 {
                seen[pick(seed, n) as usize] += 1;
            }
            assert!(seen.iter().all(|count| *count == 1));
        }
    }

    #[test]
    fn short_runs_are_near_their_share() {
        let hits = (0..100).filter(|n| pick(3, *n) < 500).count();
        assert!((4..=6).contains(&hits), "{hits} of 100 at 5 %");
    }

    #[test]
    fn sticky_picks_do_not_move_with_the_weight() {
        assert_eq!(
            sticky("canary/orders", "sha256:00", "alice"),
            sticky("canary/orders", "sha256:00", "alice")
        );
        assert_ne!(
            sticky("canary/orders", "sha256:00", "alice"),
            sticky("canary/orders", "sha256:01", "alice")
        );
    }
}
