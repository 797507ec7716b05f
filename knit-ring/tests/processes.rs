//! Rings and doorbells between processes: this program runs itself again, with the region as its standard input.

mod support;

use knit_ring::{FrameHeader, FrameProducer, StreamConsumer};
use support::peers::{CAPACITY, Plan, consume, drain, index, meet, push, ring_if_armed, wait_for};
use support::{again, fill, role, scaled};

/// The position's 32 bits wrap on the way.
const FIRST: u64 = (1 << 32) - 100_000;

#[test]
fn two_processes_exchange_ten_million_frames() {
    const NAME: &str = "two_processes_exchange_ten_million_frames";
    if let Some(number) = role() {
        return consume(number);
    }
    let total = scaled(10_000_000) as u32;
    let plan = Plan::new();
    let mut producer = FrameProducer::create_at(plan.ring(), CAPACITY, FIRST).unwrap();
    let (bells, own) = ([plan.bell(0)], plan.producers_bell());
    let mut children = [(0, again(NAME, 1, &plan.region))];
    let mut replies = meet(&plan, 0, &mut children[0].1);

    let (mut payload, mut expected) = (Vec::new(), 0);
    let (mut answered, mut sum) = (0, 0);
    // One consumer: its answers come in the order of the calls, so that none is lost or doubled.
    let mut on = |reply: &FrameHeader| {
        assert_eq!(reply.call, answered);
        answered += 1;
        sum += reply.generation as u64;
    };
    for call in 0..total {
        let header = fill(call, &mut payload);
        expected += header.generation as u64;
        push(&mut producer, &bells, (&header, &payload), || {
            drain(&mut replies, &mut on)
        });
        if call % 64 == 63 || call + 1 == total {
            producer.publish();
            bells.iter().for_each(ring_if_armed);
            drain(&mut replies, &mut on);
        }
    }
    while answered < total {
        wait_for(&own, || !replies.is_empty());
        children[0].1.must_live();
        drain(&mut replies, |reply| {
            assert_eq!(reply.call, answered);
            answered += 1;
            sum += reply.generation as u64;
        });
    }
    plan.end(&mut children);
    assert!(!drain(&mut replies, |_| ()));
    assert_eq!(sum, expected);
    producer.reclaim(|_, _| ()).unwrap();
    assert_eq!(producer.used(), 0);
}

/// Marks every answer's call, which must be unmarked. Says whether there were any.
fn mark(streams: &mut [StreamConsumer], seen: &mut [bool]) -> bool {
    let (mut any, mut payload) = (false, Vec::new());
    for stream in streams {
        any |= drain(stream, |reply| {
            assert_eq!(reply.generation, fill(reply.call, &mut payload).generation);
            assert!(!std::mem::replace(&mut seen[reply.call as usize], true));
        });
    }
    any
}

#[test]
fn several_processes_claim_each_frame_once() {
    const NAME: &str = "several_processes_claim_each_frame_once";
    if let Some(number) = role() {
        return consume(number);
    }
    let total = scaled(2_000_000) as u32;
    let plan = Plan::new();
    let mut producer = FrameProducer::create_at(plan.ring(), CAPACITY, FIRST).unwrap();
    let own = plan.producers_bell();
    let bells = [0, 1, 2].map(|index| plan.bell(index));
    let mut children = [1, 2, 3].map(|number| (index(number), again(NAME, number, &plan.region)));
    let mut streams: Vec<_> = children
        .iter_mut()
        .map(|(index, child)| meet(&plan, *index, child))
        .collect();

    let mut seen = vec![false; total as usize];
    let mut payload = Vec::new();
    for call in 0..total {
        let header = fill(call, &mut payload);
        push(&mut producer, &bells, (&header, &payload), || {
            mark(&mut streams, &mut seen)
        });
        if call % 64 == 63 || call + 1 == total {
            producer.publish();
            bells.iter().for_each(ring_if_armed);
            mark(&mut streams, &mut seen);
        }
    }
    while !seen.iter().all(|seen| *seen) {
        wait_for(&own, || streams.iter().any(|stream| !stream.is_empty()));
        children.iter_mut().for_each(|(_, child)| child.must_live());
        mark(&mut streams, &mut seen);
    }
    plan.end(&mut children);
    assert!(!mark(&mut streams, &mut seen));
    producer.reclaim(|_, _| ()).unwrap();
    assert_eq!(producer.used(), 0);
}
