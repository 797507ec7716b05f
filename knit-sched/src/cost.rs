//! How many calls a worker claims at once.
//!
//! A claimed call cannot be run by anybody else, so a worker should claim as little as it can afford: enough that the price of a claim
//! (a native call, a few cache misses, well below a microsecond) disappears, and no more. The rule: a claim holds
//! about [`TARGET`] of work, and a call of a function that is not known to be short is claimed alone.
//!
//! What is known of a function is a bound of its recent run times: it rises at once to what was measured and sinks slowly, so that
//! a function that was long once is claimed alone for a while. A batch is measured as a whole; its mean goes to each
//! function in it. That blames short functions that shared a batch with a long one, and corrects itself: claimed
//! alone, they are measured alone.

use std::time::Duration;

/// Work that one claim should hold.
pub(crate) const TARGET: Duration = Duration::from_micros(20);
/// Most calls of one claim: beyond this a larger claim gains nothing.
pub(crate) const MOST: usize = 64;
/// A function of which nothing is known yet counts as this long: alone in its claim.
const UNKNOWN: u32 = TARGET.as_nanos() as u32;
/// What a look at another worker's lane costs at most, about, in ns.
const LOOK: u32 = 50;
/// Looks that are always allowed, and the part of a run time that they may cost: 1/16.
const LOOKS: u32 = 16;
const LOOK_SHIFT: u32 = 4;
/// A bound sinks by 1/8 of the difference with each batch that was shorter.
const SINK_SHIFT: u32 = 3;

/// Bounds of recent run times, by function number, in ns.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    bounds: Vec<u32>,
}

impl Costs {
    fn bound(&self, function: u16) -> u32 {
        self.bounds
            .get(usize::from(function))
            .copied()
            .unwrap_or(UNKNOWN)
    }

    /// Whether a call of `function` is so short that a claim may hold several.
    pub(crate) fn is_short(&self, function: u16) -> bool {
        self.bound(function) <= UNKNOWN / 2
    }

    /// How many lanes may be looked at for the sake of a call of `function`.
    pub(crate) fn looks(&self, function: u16) -> usize {
        ((self.bound(function) >> LOOK_SHIFT) / LOOK).max(LOOKS) as usize
    }

    /// Starts a claim.
    pub(crate) fn budget(&self) -> Budget<'_> {
        Budget {
            costs: self,
            left: UNKNOWN,
            first: true,
        }
    }

    /// Records that a claim of these functions took `elapsed` in all.
    pub(crate) fn record(
        &mut self,
        functions: impl ExactSizeIterator<Item = u16>,
        elapsed: Duration,
    ) {
        let Ok(calls) = u128::try_from(functions.len()) else {
            return;
        };
        if calls == 0 {
            return;
        }
        let mean = u32::try_from(elapsed.as_nanos() / calls).unwrap_or(u32::MAX);
        for function in functions {
            let index = usize::from(function);
            if index >= self.bounds.len() {
                self.bounds.resize(index + 1, UNKNOWN);
            }
            let bound = &mut self.bounds[index];
            *bound = if mean >= *bound {
                mean
            } else {
                *bound - ((*bound - mean) >> SINK_SHIFT).max(1)
            };
        }
    }
}

/// What is left of a claim's allowance.
pub(crate) struct Budget<'a> {
    costs: &'a Costs,
    left: u32,
    first: bool,
}

impl Budget<'_> {
    /// Whether a call of `function` still fits; if so, it is counted. The first one always does.
    pub(crate) fn admits(&mut self, function: u16) -> bool {
        let bound = self.costs.bound(function);
        if !self.first && bound > self.left {
            return false;
        }
        self.first = false;
        self.left = self.left.saturating_sub(bound);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(costs: &Costs, functions: &[u16]) -> usize {
        let mut budget = costs.budget();
        functions.iter().take_while(|f| budget.admits(**f)).count()
    }

    #[test]
    fn an_unknown_function_is_claimed_alone() {
        assert_eq!(claim(&Costs::default(), &[7, 7, 7]), 1);
    }

    #[test]
    fn a_short_function_is_soon_claimed_in_numbers() {
        let mut costs = Costs::default();
        for _ in 0..64 {
            costs.record([3].into_iter(), Duration::from_nanos(200));
        }
        assert!(claim(&costs, &[3; 200]) >= MOST, "{costs:?}");
    }

    #[test]
    fn one_long_run_makes_a_function_be_claimed_alone_at_once() {
        let mut costs = Costs::default();
        for _ in 0..64 {
            costs.record([3].into_iter(), Duration::from_nanos(200));
        }
        costs.record([3].into_iter(), Duration::from_millis(300));
        assert_eq!(claim(&costs, &[3; 10]), 1);
    }

    #[test]
    fn looking_costs_a_small_part_of_a_call() {
        let mut costs = Costs::default();
        costs.record([0].into_iter(), Duration::from_millis(1));
        assert!((1000..1500).contains(&costs.looks(0)));
        for _ in 0..64 {
            costs.record([1].into_iter(), Duration::from_micros(1));
        }
        assert_eq!(costs.looks(1), 16);
        let unknown = costs.looks(9);
        assert!((16..32).contains(&unknown), "{unknown}");
    }

    #[test]
    fn a_short_function_is_not_claimed_behind_a_long_one() {
        let mut costs = Costs::default();
        for _ in 0..64 {
            costs.record([0].into_iter(), Duration::from_nanos(200));
            costs.record([1].into_iter(), Duration::from_millis(5));
        }
        assert_eq!(claim(&costs, &[1, 0]), 1);
        assert_eq!(claim(&costs, &[0, 0, 1, 0]), 2);
    }
}
