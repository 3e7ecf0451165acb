//! Prices in exact money per million tokens, and what calls cost by them. Rounded up once, at the end, to a micro-dollar.

use crate::lane::request::Usage;
use crate::ledger::money::MicroUsd;

/// Money per million tokens of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub input: MicroUsd,
    pub output: MicroUsd,
    pub cache_read: MicroUsd,
    pub cache_write_5m: MicroUsd,
    pub cache_write_1h: MicroUsd,
}

impl Price {
    /// A price without cache discounts: cached tokens cost as much as others.
    #[must_use]
    pub const fn flat(input: MicroUsd, output: MicroUsd) -> Self {
        Self { input, output, cache_read: input, cache_write_5m: input, cache_write_1h: input }
    }

    /// What the usage costs.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> MicroUsd {
        round_up(&[
            (usage.input, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.output, self.output),
            (usage.reasoning, self.output),
        ])
    }

    /// The most a call can cost: no cache helps, writing one may be dearer than reading plainly, all output is used.
    #[must_use]
    pub fn worst_case(&self, tokens_in: u64, max_tokens: u64) -> MicroUsd {
        let input = self.input.max(self.cache_write_5m).max(self.cache_write_1h);
        round_up(&[(tokens_in, input), (max_tokens, self.output)])
    }
}

/// Sums in 10^-12 dollars, where products of tokens and prices are exact, then rounds up.
fn round_up(parts: &[(u64, MicroUsd)]) -> MicroUsd {
    let exact: u128 = parts
        .iter()
        .map(|(tokens, price)| {
            u128::from(*tokens) * u128::from(price.micros().max(0).unsigned_abs())
        })
        .sum();
    i64::try_from(exact.div_ceil(1_000_000)).map_or(MicroUsd::MAX, MicroUsd)
}

#[cfg(test)]
mod tests {
    use super::Price;
    use crate::lane::request::Usage;
    use crate::ledger::money::MicroUsd;
    use proptest::prelude::{prop_assert, proptest};

    const ECHO: Price = Price::flat(MicroUsd(1_000_000), MicroUsd(2_000_000));

    #[test]
    fn the_seeds_call_costs_25_micro_dollars() {
        let usage = Usage { input: 17, output: 4, ..Usage::default() };
        assert_eq!(ECHO.cost(&usage), MicroUsd(25));
        assert_eq!(ECHO.worst_case(17, 512), MicroUsd(1_041));
    }

    #[test]
    fn a_fraction_of_a_micro_dollar_is_rounded_up_once() {
        let cheap = Price::flat(MicroUsd(150_000), MicroUsd(600_000));
        let usage = Usage { input: 1, output: 1, ..Usage::default() };
        assert_eq!(cheap.cost(&usage), MicroUsd(1));
        assert_eq!(cheap.cost(&Usage::default()), MicroUsd(0));
    }

    #[test]
    fn the_worst_case_counts_the_dearest_kind_of_input() {
        let price = Price { cache_write_1h: MicroUsd(2_000_000), ..ECHO };
        assert_eq!(price.worst_case(10, 0), MicroUsd(20));
        assert_eq!(price.worst_case(u64::MAX, u64::MAX), MicroUsd::MAX);
    }

    proptest! {
        #[test]
        fn no_usage_within_bounds_costs_more_than_the_worst_case(
            input in 0u64..100_000, read in 0u64..100_000, write in 0u64..100_000,
            output in 0u64..10_000, price_in in 0i64..100_000_000, price_out in 0i64..100_000_000,
        ) {
            let price = Price {
                input: MicroUsd(price_in),
                output: MicroUsd(price_out),
                cache_read: MicroUsd(price_in / 10),
                cache_write_5m: MicroUsd(price_in + price_in / 4),
                cache_write_1h: MicroUsd(price_in * 2),
            };
            let usage = Usage {
                input, cache_read: read, cache_write_1h: write, output, ..Usage::default()
            };
            prop_assert!(price.cost(&usage) <= price.worst_case(usage.tokens_in(), usage.tokens_out()));
        }
    }
}
