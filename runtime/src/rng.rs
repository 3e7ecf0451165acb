//! Seeds and the random numbers made of them. Every random choice of a run follows from one seed.
//!
//! Never: entropy from the operating system, security. A seed is forked by path, so a new consumer of
//! random numbers does not change what the others get.

/// The origin of a stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of the part called `path`; the same parts get the same seeds in every run.
    #[must_use]
    pub fn fork(self, path: &str) -> Self {
        let mut state = mix(self.0 ^ 0x9e37_79b9_7f4a_7c15);
        for byte in path.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(state)
    }

    /// The seed of the `index`-th part.
    #[must_use]
    pub fn fork_at(self, index: u64) -> Self {
        Self(mix(mix(self.0).wrapping_add(index)))
    }

    #[must_use]
    pub fn rng(self) -> Rng {
        Rng { state: self.0 }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): 64 bits of state, passes BigCrush, splits by construction.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Uniform in `0.0..1.0`, from the upper 53 bits.
    pub fn next_f64(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / 9_007_199_254_740_992.0;
        (self.next_u64() >> 11) as f64 * SCALE
    }

    /// Uniform in `0..bound`, and 0 if `bound` is 0 (Lemire's multiplication; its bias is below 2^-32 for our bounds).
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }
}

/// The finaliser of `SplitMix64`.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        // First outputs of SplitMix64 for seed 1234567, from the reference implementation.
        let mut rng = Seed(1_234_567).rng();
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn forks_are_stable_and_differ() {
        let seed = Seed(7);
        assert_eq!(seed.fork("router"), seed.fork("router"));
        assert_ne!(seed.fork("router"), seed.fork("retry"));
        assert_ne!(seed.fork_at(0), seed.fork_at(1));
        assert_ne!(seed.fork("ab"), seed.fork("ba"));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Seed(1).rng();
        for _ in 0..10_000 {
            let x = rng.next_f64();
            assert!((0.0..1.0).contains(&x));
            assert!(rng.below(7) < 7);
        }
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn every_value_below_a_bound_comes_up() {
        let mut rng = Seed(3).rng();
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            seen[rng.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (800..1_200).contains(n)), "{seen:?}");
    }
}
