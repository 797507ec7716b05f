//! A pool in virtual time: how long calls wait with each balancer, with and without stealing, and how long they would with one ideal central queue.
//!
//! The balancers are the real ones, and so are the rules of how much a worker claims (`src/cost.rs`) and from which lane (`src/steal.rs`), the very files. What is left out is what virtual time has
//! none of: handing over, claiming and waking cost nothing. So this shows what *choices* cost, and nothing else.
//!
//! Pools and the central queue are given the same calls, at the same times, of the same lengths. The same seed gives the same calls.

#![allow(dead_code, reason = "the example and the test use a part of it each")]

#[path = "../../src/cost.rs"]
mod cost;
#[path = "../../src/steal.rs"]
mod steal;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use cost::{Costs, MOST};
use fastrand::Rng;
use knit_sched::Strategy;
use knit_sched::balancer::LaneLoad;
use steal::Head;

/// The mean length of a call, in ns, in every workload.
pub const MEAN: f64 = 1_000_000.0;

/// What calls are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// From a half to one and a half of the mean.
    Uniform,
    /// Nine of ten take a tenth of the mean, the tenth takes 9.1 times as long as the mean.
    Bimodal,
    /// Pareto's distribution with the exponent 1.5, cut at 300 times the shortest: most are short, some very long.
    HeavyTailed,
    /// As uniform, but calls come in bursts of 1 to 40.
    Bursty,
}

impl Workload {
    pub const ALL: [Self; 4] = [
        Self::Uniform,
        Self::Bimodal,
        Self::HeavyTailed,
        Self::Bursty,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Bimodal => "bimodal",
            Self::HeavyTailed => "heavy-tailed",
            Self::Bursty => "bursty",
        }
    }

    fn length(self, random: &mut Rng) -> f64 {
        match self {
            Self::Uniform | Self::Bursty => MEAN * (0.5 + random.f64()),
            Self::Bimodal if random.u8(..10) == 0 => 9.1 * MEAN,
            Self::Bimodal => 0.1 * MEAN,
            Self::HeavyTailed => {
                // The inverse of the bounded distribution; its mean is 3 (1 - 300^-0.5) / (1 - 300^-1.5) of the shortest.
                let (alpha, longest): (f64, f64) = (1.5, 300.0);
                let cut = longest.powf(-alpha);
                let mean = 3.0 * (1.0 - longest.powf(-0.5)) / (1.0 - cut);
                MEAN / mean * (1.0 - random.f64() * (1.0 - cut)).powf(-1.0 / alpha)
            }
        }
    }

    fn burst(self, random: &mut Rng) -> usize {
        match self {
            Self::Bursty => random.usize(1..=40),
            _ => 1,
        }
    }
}

/// A call: when it is made, and how long it runs, in ns.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    at: u64,
    length: u64,
}

/// So many calls (and the rest of a burst), made at random times such that workers are occupied for `load` of theirs.
pub fn calls(workload: Workload, workers: usize, load: f64, count: usize, seed: u64) -> Vec<Call> {
    let mut random = Rng::with_seed(seed);
    let mut calls = Vec::with_capacity(count);
    let mut now = 0.0;
    while calls.len() < count {
        let burst = workload.burst(&mut random);
        let mean_gap = if workload == Workload::Bursty {
            20.5
        } else {
            1.0
        } * MEAN
            / (load * workers as f64);
        now += -mean_gap * (1.0 - random.f64()).ln();
        for _ in 0..burst {
            calls.push(Call {
                at: now as u64,
                length: workload.length(&mut random) as u64,
            });
        }
    }
    calls
}

/// Waiting times, in ns.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub mean: f64,
    pub p99: f64,
}

impl Waits {
    fn of(mut waits: Vec<u64>) -> Self {
        waits.sort_unstable();
        Self {
            mean: waits.iter().sum::<u64>() as f64 / waits.len() as f64,
            p99: waits[waits.len() * 99 / 100] as f64,
        }
    }
}

/// The optimum without knowing lengths beforehand: one queue, and whoever is free takes the call that has waited longest.
pub fn central_queue(calls: &[Call], workers: usize) -> Waits {
    let mut free: BinaryHeap<Reverse<u64>> = (0..workers).map(|_| Reverse(0)).collect();
    let wait = |call: &Call| {
        let Reverse(earliest) = free.pop().expect("there are workers");
        let start = earliest.max(call.at);
        free.push(Reverse(start + call.length));
        start - call.at
    };
    Waits::of(calls.iter().map(wait).collect())
}

struct Pool<'a> {
    calls: &'a [Call],
    steal: bool,
    random: Rng,
    lanes: Vec<VecDeque<usize>>,
    loads: Vec<LaneLoad>,
    costs: Vec<Costs>,
    waits: Vec<u64>,
    /// When a worker has run what it has claimed.
    ends: BinaryHeap<Reverse<(u64, usize)>>,
}

/// Waiting times in a pool.
pub fn pool(calls: &[Call], workers: usize, strategy: Strategy, steal: bool, seed: u64) -> Waits {
    let mut balancer = strategy.balancer(seed);
    let open = LaneLoad {
        open: true,
        ..LaneLoad::default()
    };
    let mut pool = Pool {
        calls,
        steal,
        random: Rng::with_seed(seed),
        lanes: vec![VecDeque::new(); workers],
        loads: vec![open; workers],
        costs: (0..workers).map(|_| Costs::default()).collect(),
        waits: vec![0; calls.len()],
        ends: BinaryHeap::new(),
    };
    for (index, call) in calls.iter().enumerate() {
        pool.run_until(call.at);
        let lane = balancer.choose(&pool.loads);
        balancer.placed(lane);
        pool.lanes[lane].push_back(index);
        pool.loads[lane].waiting += 1;
        pool.wake_for(lane, call.at);
    }
    pool.run_until(u64::MAX);
    Waits::of(pool.waits)
}

impl Pool<'_> {
    /// Ends what ends by then; who is free claims.
    fn run_until(&mut self, now: u64) {
        while let Some(Reverse((at, worker))) = self.ends.peek().copied() {
            if at > now {
                return;
            }
            self.ends.pop();
            self.loads[worker].running = 0;
            self.claim(worker, at);
        }
    }

    /// A call has come into a lane: its owner takes it if it is free; with stealing, else anybody who is.
    fn wake_for(&mut self, lane: usize, now: u64) {
        let free = |worker: &usize| self.loads[*worker].running == 0;
        let anybody = (0..if self.steal { self.lanes.len() } else { 0 }).find(free);
        if let Some(worker) = Some(lane).filter(free).or(anybody) {
            self.claim(worker, now);
        }
    }

    /// As `Worker::claim` does.
    fn claim(&mut self, worker: usize, now: u64) {
        let count = self.lanes.len();
        let head = |lane: usize| {
            let head = self.lanes[lane].front().map(|call| Head {
                since: self.calls[*call].at,
                short: self.costs[worker].is_short(0),
                looks: self.costs[worker].looks(0),
            });
            Ok::<_, Infallible>(head)
        };
        let from = if self.steal {
            let first = self.random.usize(..count);
            let Ok(from) = steal::choose(worker, count, first, head);
            from
        } else {
            Some(worker).filter(|own| !self.lanes[*own].is_empty())
        };
        let Some(from) = from else { return };
        let mut budget = self.costs[worker].budget();
        let mut claimed = Vec::new();
        while claimed.len() < MOST && !self.lanes[from].is_empty() && budget.admits(0) {
            claimed.extend(self.lanes[from].pop_front());
        }
        let mut at = now;
        for index in &claimed {
            self.waits[*index] = at - self.calls[*index].at;
            at += self.calls[*index].length;
        }
        self.costs[worker].record(claimed.iter().map(|_| 0), Duration::from_nanos(at - now));
        self.loads[from].waiting -= claimed.len() as u32;
        self.loads[worker].running = claimed.len() as u32;
        self.ends.push(Reverse((at, worker)));
    }
}
