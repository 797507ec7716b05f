//! A message costs memory by what it is, not by what it says.
//!
//! One test alone in its file: the allocator that counts belongs to the whole process.

use knit_codec::{Limits, Reader, from_bytes};
use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

fn slot(tag: u8, aux: u8, lo: u32) -> u64 {
    0xFFFE << 48 | u64::from(tag) << 40 | u64::from(aux) << 32 | u64::from(lo)
}

/// The most bytes that were allocated at one time while `work` ran.
fn peak(work: impl FnOnce()) -> usize {
    COUNTED.reset_peak_usage();
    let before = COUNTED.current_usage();
    work();
    COUNTED.peak_usage() - before
}

#[test]
fn no_message_costs_more_than_a_small_multiple_of_its_length() {
    const SLOTS: u32 = 20_000;
    let text = "a".repeat(SLOTS as usize);
    let many = |first: u64, slot: u64| [vec![first], vec![slot; SLOTS as usize]].concat();
    let claims = |tag| {
        (0..900)
            .map(|_| slot(tag, 0, SLOTS))
            .chain(vec![slot(1, 0, 0); SLOTS as usize])
            .collect()
    };
    let null = slot(2, 0, 0);
    let keys: Vec<u64> = [
        vec![slot(0x0B, 0, 9_999)],
        (0..9_999).map(|_| slot(6, 0, 2)).collect(),
        vec![null; 9_999],
    ]
    .concat();
    let messages: Vec<(&str, Vec<u64>, &str)> = vec![
        ("arrays that each claim everything", claims(0x0D), ""),
        ("maps that each claim everything", claims(0x10), ""),
        ("sets that each claim everything", claims(0x11), ""),
        ("holey arrays that each claim everything", claims(0x0F), ""),
        ("objects that each claim everything", claims(0x0B), ""),
        (
            "an array of four thousand million",
            vec![slot(0x0D, 0, u32::MAX)],
            "",
        ),
        (
            "bytes of four thousand million",
            vec![slot(0x15, 3, u32::MAX)],
            "",
        ),
        (
            "numbers of four thousand million",
            vec![slot(0x0E, 0, u32::MAX)],
            "",
        ),
        (
            "a long array of holes",
            vec![slot(0x0F, 0, 1), slot(5, 0, 0xFFFF_FFFE)],
            "",
        ),
        (
            "holes run after run",
            many(slot(0x0F, 0, SLOTS), slot(5, 0, 100_000)),
            "",
        ),
        ("many nulls", many(slot(0x0D, 0, SLOTS), null), ""),
        (
            "many empty arrays",
            many(slot(0x0D, 0, SLOTS), slot(0x0D, 0, 0)),
            "",
        ),
        (
            "many empty objects",
            many(slot(0x0D, 0, SLOTS), slot(0x0B, 0, 0)),
            "",
        ),
        (
            "many empty errors",
            many(slot(0x0D, 0, SLOTS), slot(0x18, 0, 0)),
            "",
        ),
        (
            "many short strings",
            many(slot(0x0D, 0, SLOTS), slot(6, 0, 1)),
            &text,
        ),
        ("one key again and again", keys, &text[..19_998]),
    ];
    for (name, slots, text) in messages {
        let head = slot(0, 0x0C, 8 * (slots.len() as u32 + 1));
        let slots = [vec![head], slots].concat();
        let message: Vec<u8> = slots
            .iter()
            .flat_map(|slot| slot.to_le_bytes())
            .chain(text.bytes())
            .collect();
        let read = peak(|| drop(from_bytes(&message)));
        let checked = peak(|| drop(Reader::new(&message, Limits::DEFAULT, None)));
        // An empty error is the worst: one slot, and a structure for all that it could have.
        assert!(
            read <= 64 * message.len() + 4096,
            "{name}: {read} bytes for {}",
            message.len()
        );
        assert!(
            checked <= 8 * message.len() + 4096,
            "{name}: {checked} bytes for {}",
            message.len()
        );
    }
}
