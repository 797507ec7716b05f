//! Balancers: into which lane the next call goes.
//!
//! A balancer sees a snapshot of the lanes, taken when calls are handed over and counted on for each call of that hand-over. It names the lane to try
//! first; one that is closed or full is passed over for the next after it. With stealing an idle worker takes what waits for a busy one, so that
//! a wrong choice costs a steal; without it, a call waits for the worker of its lane.
//!
//! `examples/simulation.rs` runs all of them, with and without stealing, against one ideal central queue; ARCHITECTURE.md has its table.

use fastrand::Rng;

/// A lane as a balancer sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneLoad {
    /// Whether it takes calls: it has a worker, or one is on its way.
    pub open: bool,
    /// Calls that wait in it.
    pub waiting: u32,
    /// Calls that its worker has taken and not answered.
    pub running: u32,
}

impl LaneLoad {
    /// Whether a call put there would run at once.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open && self.waiting == 0 && self.running == 0
    }
}

/// Chooses lanes, one call at a time.
pub trait Balancer: Send {
    /// The lane to try first for the next call, below `lanes.len()`, which is not 0.
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize;

    /// The call went into this lane.
    fn placed(&mut self, _lane: usize) {}

    /// Whether it looks at what the lanes hold. If not, nobody needs to count that: the snapshot says then how many lanes there are, and nothing else.
    fn looks(&self) -> bool {
        true
    }
}

/// Each lane in turn. Costs nothing. Wins with calls of about the same length, and with stealing always: what it puts in the wrong lane is
/// taken by whoever is idle. Without stealing a long call holds up every call that falls behind it.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: usize,
}

impl Balancer for RoundRobin {
    #[inline]
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        if self.next < lanes.len() {
            self.next
        } else {
            0
        }
    }

    #[inline]
    fn placed(&mut self, lane: usize) {
        self.next = lane + 1;
    }

    fn looks(&self) -> bool {
        false
    }
}

/// The first lane whose worker is idle; if none is, each in turn. Wins when there is little to do: the first workers stay warm, the last ones asleep, and no
/// call waits while anybody is idle. Under load it is [`RoundRobin`].
#[derive(Debug, Default)]
pub struct FirstIdle {
    turn: RoundRobin,
}

impl Balancer for FirstIdle {
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        first_idle(lanes).unwrap_or_else(|| self.turn.choose(lanes))
    }

    fn placed(&mut self, lane: usize) {
        self.turn.placed(lane);
    }
}

/// Any lane. Costs nothing. Wins where calls come in a pattern that going round would fall in step with (every second one long, on two workers). Else
/// its lanes differ more in length than those of [`RoundRobin`].
#[derive(Debug)]
pub struct RandomLane {
    random: Rng,
}

impl RandomLane {
    /// One that always chooses alike for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
        }
    }
}

impl Balancer for RandomLane {
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        self.random.usize(..lanes.len())
    }

    fn looks(&self) -> bool {
        false
    }
}

/// The first lane whose worker is idle; if none is, any. Wins as [`FirstIdle`] does, and under load where [`RandomLane`] does.
#[derive(Debug)]
pub struct FirstIdleOrRandom {
    any: RandomLane,
}

impl FirstIdleOrRandom {
    /// One that always chooses alike for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            any: RandomLane::new(seed),
        }
    }
}

impl Balancer for FirstIdleOrRandom {
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        first_idle(lanes).unwrap_or_else(|| self.any.choose(lanes))
    }
}

/// The lane with the fewest calls, waiting and running; of several, each in turn. Wins without stealing, where lengths differ: fewest calls are the best
/// guess of least work. Looks at every lane for every call.
#[derive(Debug, Default)]
pub struct LeastLoaded {
    turn: RoundRobin,
}

impl Balancer for LeastLoaded {
    fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        let first = self.turn.choose(lanes);
        let from_there = (first..lanes.len()).chain(0..first);
        from_there
            .filter(|lane| lanes[*lane].open)
            .min_by_key(|lane| u64::from(lanes[*lane].waiting) + u64::from(lanes[*lane].running))
            .unwrap_or(first)
    }

    fn placed(&mut self, lane: usize) {
        self.turn.placed(lane);
    }
}

fn first_idle(lanes: &[LaneLoad]) -> Option<usize> {
    lanes.iter().position(LaneLoad::is_idle)
}

/// The balancers by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// [`RoundRobin`]
    #[default]
    RoundRobin,
    /// [`FirstIdle`]
    FirstIdle,
    /// [`RandomLane`]
    RandomLane,
    /// [`FirstIdleOrRandom`]
    FirstIdleOrRandom,
    /// [`LeastLoaded`]
    LeastLoaded,
}

impl Strategy {
    /// All of them; a strategy's number is its place here.
    pub const ALL: [Self; 5] = [
        Self::RoundRobin,
        Self::FirstIdle,
        Self::RandomLane,
        Self::FirstIdleOrRandom,
        Self::LeastLoaded,
    ];

    /// Its name for users.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "roundRobin",
            Self::FirstIdle => "firstIdle",
            Self::RandomLane => "randomLane",
            Self::FirstIdleOrRandom => "firstIdleOrRandom",
            Self::LeastLoaded => "leastLoaded",
        }
    }

    /// A balancer of this kind. The seed is for those that draw lots.
    #[must_use]
    pub fn balancer(self, seed: u64) -> Box<dyn Balancer> {
        match self {
            Self::RoundRobin => Box::new(RoundRobin::default()),
            Self::FirstIdle => Box::new(FirstIdle::default()),
            Self::RandomLane => Box::new(RandomLane::new(seed)),
            Self::FirstIdleOrRandom => Box::new(FirstIdleOrRandom::new(seed)),
            Self::LeastLoaded => Box::new(LeastLoaded::default()),
        }
    }
}

/// A balancer as a host has it: the one that is mostly used without a detour.
pub(crate) enum Chooser {
    RoundRobin(RoundRobin),
    Other(Box<dyn Balancer>),
}

impl Chooser {
    pub(crate) fn new(strategy: Strategy) -> Self {
        match strategy {
            Strategy::RoundRobin => Self::RoundRobin(RoundRobin::default()),
            other => Self::Other(other.balancer(fastrand::u64(..))),
        }
    }

    #[inline]
    pub(crate) fn choose(&mut self, lanes: &[LaneLoad]) -> usize {
        match self {
            Self::RoundRobin(balancer) => balancer.choose(lanes),
            Self::Other(balancer) => balancer.choose(lanes),
        }
    }

    #[inline]
    pub(crate) fn placed(&mut self, lane: usize) {
        match self {
            Self::RoundRobin(balancer) => balancer.placed(lane),
            Self::Other(balancer) => balancer.placed(lane),
        }
    }

    pub(crate) fn looks(&self) -> bool {
        match self {
            Self::RoundRobin(balancer) => balancer.looks(),
            Self::Other(balancer) => balancer.looks(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(loads: &[(u32, u32)]) -> Vec<LaneLoad> {
        let open = |&(waiting, running)| LaneLoad {
            open: true,
            waiting,
            running,
        };
        loads.iter().map(open).collect()
    }

    fn choose(balancer: &mut dyn Balancer, lanes: &[LaneLoad], times: usize) -> Vec<usize> {
        let one = |_| {
            let lane = balancer.choose(lanes);
            balancer.placed(lane);
            lane
        };
        (0..times).map(one).collect()
    }

    /// What every balancer keeps.
    #[test]
    fn every_balancer_names_a_lane_whatever_the_lanes_hold() {
        for strategy in Strategy::ALL {
            for count in [1, 2, 7] {
                let closed = vec![LaneLoad::default(); count];
                let busy = lanes(&vec![(3, 1); count]);
                let mut balancer = strategy.balancer(1);
                // A pool has the same lanes all its life, but `placed` may name any.
                balancer.placed(count - 1);
                for snapshot in [&closed, &busy] {
                    let chosen = choose(&mut *balancer, snapshot, 50);
                    assert!(chosen.iter().all(|lane| *lane < count), "{strategy:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_chooses_alike() {
        for strategy in Strategy::ALL {
            let busy = lanes(&[(1, 1); 5]);
            let run = || choose(&mut *strategy.balancer(7), &busy, 100);
            assert_eq!(run(), run());
        }
    }

    #[test]
    fn round_robin_goes_round_from_where_the_last_call_really_went() {
        let mut balancer = RoundRobin::default();
        let any = lanes(&[(0, 0); 3]);
        assert_eq!(choose(&mut balancer, &any, 4), [0, 1, 2, 0]);
        balancer.placed(2);
        assert_eq!(balancer.choose(&any), 0);
    }

    #[test]
    fn first_idle_takes_the_first_idle_lane_and_else_goes_round() {
        let mut balancer = FirstIdle::default();
        assert_eq!(
            balancer.choose(&lanes(&[(0, 1), (1, 0), (0, 0), (0, 0)])),
            2
        );
        assert_eq!(choose(&mut balancer, &lanes(&[(0, 1); 3]), 4), [0, 1, 2, 0]);
        let mut closed = lanes(&[(0, 0); 2]);
        closed[0].open = false;
        assert_eq!(balancer.choose(&closed), 1);
    }

    #[test]
    fn random_choices_reach_every_lane_about_equally() {
        let busy = lanes(&[(1, 1); 4]);
        let mut balancers: [Box<dyn Balancer>; 2] = [
            Box::new(RandomLane::new(3)),
            Box::new(FirstIdleOrRandom::new(3)),
        ];
        for balancer in &mut balancers {
            let chosen = choose(&mut **balancer, &busy, 4000);
            for lane in 0..4 {
                let count = chosen.iter().filter(|other| **other == lane).count();
                assert!((900..1100).contains(&count), "{count}");
            }
        }
        assert_eq!(balancers[1].choose(&lanes(&[(1, 0), (0, 0)])), 1);
    }

    #[test]
    fn least_loaded_counts_what_waits_and_what_runs_and_spares_nobody() {
        let mut balancer = LeastLoaded::default();
        assert_eq!(balancer.choose(&lanes(&[(2, 1), (0, 2), (3, 0)])), 1);
        assert_eq!(choose(&mut balancer, &lanes(&[(1, 0); 3]), 4), [0, 1, 2, 0]);
        let mut closed = lanes(&[(0, 0), (9, 9)]);
        closed[0].open = false;
        assert_eq!(balancer.choose(&closed), 1);
    }
}
