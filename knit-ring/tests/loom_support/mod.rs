//! What the models share: bounded exploration, and frames whose bytes tell who they are.
#![allow(dead_code, reason = "each model uses its part of it")]

use knit_ring::memory::Model;
use knit_ring::{Claim, FrameConsumer, FrameHeader, FrameProducer, Owner};

/// Explores every interleaving with at most so many involuntary switches of thread. (`LOOM_MAX_PREEMPTIONS` overrides.)
pub fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(model);
}

pub fn owner(number: u16) -> Owner {
    Owner::new(number).unwrap()
}

/// A frame of one granule: 16 bytes of payload that follow from its call.
pub fn small(call: u32) -> (FrameHeader, [u8; 16]) {
    let header = FrameHeader {
        payload_len: 16,
        function: 3,
        call,
        generation: !call,
        ..Default::default()
    };
    (header, [call as u8 ^ 0x5A; 16])
}

pub fn push(ring: &mut FrameProducer<Model>, call: u32) -> bool {
    let (header, payload) = small(call);
    ring.push(&header, &payload).is_ok()
}

/// The call of a claimed frame, after comparing every byte with what was pushed.
pub fn open(ring: &FrameConsumer<Model>, claim: &Claim) -> u32 {
    let (header, expected) = small(claim.header.call);
    assert_eq!(claim.header, header);
    let mut payload = Vec::new();
    ring.payload(claim, &mut payload).unwrap();
    assert_eq!(payload, expected);
    claim.header.call
}

/// Claims at most `max` frames, reads and releases them. Their calls.
pub fn take(ring: &mut FrameConsumer<Model>, max: usize) -> Vec<u32> {
    let mut claims = Vec::new();
    ring.claim(max, |peek| peek.function == 3, &mut claims)
        .unwrap();
    claims
        .into_iter()
        .map(|claim| {
            let call = open(ring, &claim);
            ring.release(claim).unwrap();
            call
        })
        .collect()
}
