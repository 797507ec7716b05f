//! `kill -9` of a consumer: the producer learns exactly which frames it had, and the others go on.

mod support;

use knit_ring::{FrameProducer, StreamConsumer};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::peers::{CAPACITY, Plan, consume, drain, hold, meet, ring_if_armed, wait_for};
use support::{again, fill, owner, role, scaled};

const FIRST: u64 = (1 << 32) - 1000;
const HELD: usize = 5;

/// Adds the calls that a stream's answers name. None may come twice.
fn gather(stream: &mut StreamConsumer, calls: &mut BTreeSet<u32>) -> bool {
    drain(stream, |reply| assert!(calls.insert(reply.call)))
}

fn gather_all(streams: &mut [StreamConsumer], calls: &mut BTreeSet<u32>) {
    for stream in streams {
        gather(stream, calls);
    }
}

#[test]
fn the_frames_that_a_killed_consumer_held_are_recovered_and_no_others() {
    const NAME: &str = "the_frames_that_a_killed_consumer_held_are_recovered_and_no_others";
    match role() {
        Some(1) => return hold(1, HELD),
        Some(number) => return consume(number),
        None => {}
    }
    let plan = Plan::new();
    let mut producer = FrameProducer::create_at(plan.ring(), CAPACITY, FIRST).unwrap();
    let (own, bells) = (plan.producers_bell(), [plan.bell(1), plan.bell(2)]);
    let total = 600;
    let mut payload = Vec::new();
    let mut send = |producer: &mut FrameProducer, calls: std::ops::Range<u32>| {
        for call in calls {
            let header = fill(call, &mut payload);
            producer.push(&header, &payload).unwrap();
        }
        producer.publish();
        bells.iter().for_each(ring_if_armed);
    };
    send(&mut producer, 0..total / 2);
    let mut victim = again(NAME, 1, &plan.region);
    let mut last_words = meet(&plan, 0, &mut victim);
    let mut held = BTreeSet::new();
    while held.len() < HELD {
        wait_for(&own, || !last_words.is_empty());
        gather(&mut last_words, &mut held);
        victim.must_live();
    }
    let mut others = [2, 3].map(|number| (number - 1, again(NAME, number as u16, &plan.region)));
    let mut streams: Vec<_> = others
        .iter_mut()
        .map(|(index, child)| meet(&plan, *index, child))
        .collect();
    victim.kill();
    send(&mut producer, total / 2..total);

    let mut answered = BTreeSet::new();
    while answered.len() + HELD < total as usize {
        wait_for(&own, || streams.iter().any(|stream| !stream.is_empty()));
        gather_all(&mut streams, &mut answered);
        others.iter_mut().for_each(|(_, child)| child.must_live());
    }
    // The frames of the dead hold up the space behind them, until they are recovered.
    assert_eq!(producer.reclaim(|_, _| ()).unwrap(), 0);
    let mut recovered = BTreeSet::new();
    let n = producer
        .recover(owner(1), |header| assert!(recovered.insert(header.call)))
        .unwrap();
    assert_eq!((n, &recovered), (HELD, &held));
    assert!(answered.is_disjoint(&recovered));
    plan.end(&mut others);
    producer.reclaim(|_, _| ()).unwrap();
    assert_eq!(producer.used(), 0);
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    const NAME: &str = "a_kill_at_any_moment_loses_and_doubles_nothing";
    if let Some(number) = role() {
        return consume(number);
    }
    let mut random = fastrand::Rng::new();
    for _ in 0..scaled(2000) / 100 {
        kill_under_load(NAME, Duration::from_micros(random.u64(0..6000)));
    }
}

fn kill_under_load(name: &str, life: Duration) {
    let plan = Plan::new();
    let mut producer = FrameProducer::create_at(plan.ring(), CAPACITY, FIRST).unwrap();
    let victims = owner(1);
    // What the victim released before it died, and what pushes then reclaimed.
    let reclaimed = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = reclaimed.clone();
    producer.on_reclaim(move |header, who| {
        assert!(who != victims || sink.lock().unwrap().insert(header.call));
    });
    let (own, bells) = (
        plan.producers_bell(),
        [0, 1, 2].map(|index| plan.bell(index)),
    );
    let mut victim = again(name, 1, &plan.region);
    let mut last_words = meet(&plan, 0, &mut victim);
    let mut living = vec![(1, again(name, 2, &plan.region))];
    let mut streams = vec![meet(&plan, 1, &mut living[0].1)];

    let (mut said, mut answered, mut recovered) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut payload, mut total) = (Vec::new(), 0);
    let mut send = |producer: &mut FrameProducer,
                    said: &mut BTreeSet<u32>,
                    answered: &mut BTreeSet<u32>,
                    streams: &mut [StreamConsumer]| {
        let header = fill(total, &mut payload);
        let sent = producer.push(&header, &payload).is_ok();
        total += u32::from(sent);
        if !sent || total % 16 == 0 {
            producer.publish();
            bells.iter().for_each(ring_if_armed);
            gather(&mut last_words, said);
            gather_all(streams, answered);
        }
        total
    };
    let start = Instant::now();
    while start.elapsed() < life {
        send(&mut producer, &mut said, &mut answered, &mut streams);
    }
    victim.kill();
    producer
        .recover(victims, |header| assert!(recovered.insert(header.call)))
        .unwrap();
    // A successor, under a number of its own; and more than the ring holds goes through it.
    living.push((2, again(name, 3, &plan.region)));
    streams.push(meet(&plan, 2, &mut living[1].1));
    let enough = send(&mut producer, &mut said, &mut answered, &mut streams) + CAPACITY;
    while send(&mut producer, &mut said, &mut answered, &mut streams) < enough {}
    producer.publish();
    bells.iter().for_each(ring_if_armed);
    while producer.has_unclaimed().unwrap() {
        wait_for(&own, || streams.iter().any(|stream| !stream.is_empty()));
        gather_all(&mut streams, &mut answered);
        living.iter_mut().for_each(|(_, child)| child.must_live());
    }
    plan.end(&mut living);
    gather_all(&mut streams, &mut answered);

    gather(&mut last_words, &mut said);
    // What it had: released before, and recovered. (Reclaiming tells of the recovered again, as theirs.)
    let had: BTreeSet<u32> = reclaimed
        .lock()
        .unwrap()
        .union(&recovered)
        .copied()
        .collect();
    assert!(said.is_subset(&had), "it answered what it never had");
    assert!(
        answered.is_disjoint(&had),
        "a frame was run by the dead and by the living"
    );
    assert_eq!(had.len() + answered.len(), enough as usize);
    producer.reclaim(|_, _| ()).unwrap();
    assert_eq!(producer.used(), 0);
}
