//! Random numbers that are the same everywhere: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
//! generators", 2014).

/// A generator.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let one = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let two = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    two ^ (two >> 31)
}

impl Random {
    /// The generator of one run: a sequence of its own, whatever thread it is on.
    pub(super) fn new(seed: u64, run: u64) -> Self {
        Self(mix(seed ^ mix(run.wrapping_mul(STEP).wrapping_add(STEP))))
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number between `low` and `high`, most likely near `typical`.
    ///
    /// PERT takes a beta distribution with α + β = 6 and the mean (low + 4·typical + high) / 6. For whole α that is the
    /// α-th smallest of five even numbers; between two whole ones either is taken, so that the mean is kept. No
    /// floating point is involved, so every platform draws the same.
    pub(super) fn pert(&mut self, [low, typical, high]: [u32; 3]) -> u32 {
        let typical = typical.max(low);
        let width = high.max(typical) - low;
        if width == 0 {
            return low;
        }
        let (one, two, three) = (self.number(), self.number(), self.number());
        let mut numbers = [one as u32, (one >> 32) as u32, two as u32, (two >> 32) as u32, three as u32];
        numbers.sort_unstable();
        // α - 1, as a multiple of 2^-32.
        let place = (u64::from(typical - low) << 34) / u64::from(width);
        let rank = (place >> 32) as usize + usize::from((three >> 32) < (place & 0xffff_ffff));
        let part = u64::from(numbers[rank.min(4)]) * (u64::from(width) + 1);
        low + (part >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_in_their_range_with_the_mean_of_pert() {
        for range in [[0, 0, 6000], [0, 6000, 6000], [40_000, 85_000, 300_000], [10, 20, 60], [7, 7, 7]] {
            let mut random = Random::new(1, 2);
            let samples: Vec<u32> = (0..100_000).map(|_| random.pert(range)).collect();
            assert!(samples.iter().all(|sample| (range[0]..=range[2]).contains(sample)), "{range:?}");
            let mean = samples.iter().map(|sample| u64::from(*sample)).sum::<u64>() / 100_000;
            let expected = u64::from((range[0] + 4 * range[1] + range[2]) / 6);
            assert!(mean.abs_diff(expected) <= expected / 50 + 1, "{range:?}: {mean}, expected {expected}");
        }
    }

    #[test]
    fn runs_differ_and_repeat() {
        let draw = |seed, run| Random::new(seed, run).pert([0, 500_000, 1_000_000]);
        assert_eq!(draw(1, 1), draw(1, 1));
        assert!(draw(1, 1) != draw(1, 2) && draw(1, 1) != draw(2, 1));
    }
}
