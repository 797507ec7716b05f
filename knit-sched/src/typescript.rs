//! The layout as TypeScript: what the package's sources know of the shared memory comes from here and from nowhere else.

use core::mem::offset_of;
use std::fmt::Write as _;

use knit_ring::FrameHeader;

use crate::balancer::Strategy;
use crate::frames::{GRANULE, HEADER, flag, kind};
use crate::heap::LENT;
use crate::layout::{self, header_words};
use crate::port;
use crate::tasks;

/// The text of the generated module. The build writes it; a test compares it with the file.
#[must_use]
pub fn typescript() -> String {
    let constants: &[(&str, usize, &str)] = &[
        (
            "VERSION",
            layout::VERSION as usize,
            "Version of the shared layout and the value format.",
        ),
        (
            "MAX_WORKERS",
            layout::MAX_WORKERS,
            "Most workers of one pool.",
        ),
        (
            "GRANULE",
            GRANULE,
            "Frames start at multiples of this many bytes.",
        ),
        ("FRAME_HEADER", HEADER, "Bytes of a frame's header."),
        (
            "FRAME_LENGTH",
            offset_of!(FrameHeader, payload_len),
            "Byte in the header: u32, bytes of the payload.",
        ),
        (
            "FRAME_FUNCTION",
            offset_of!(FrameHeader, function),
            "Byte in the header: u16, function.",
        ),
        (
            "FRAME_KIND",
            offset_of!(FrameHeader, kind),
            "Byte in the header: u8, kind.",
        ),
        (
            "FRAME_FLAGS",
            offset_of!(FrameHeader, flags),
            "Byte in the header: u8, flags.",
        ),
        (
            "FRAME_CALL",
            offset_of!(FrameHeader, call),
            "Byte in the header: u32, call number.",
        ),
        (
            "FRAME_GENERATION",
            offset_of!(FrameHeader, generation),
            "Byte in the header: u32, generation of the call number.",
        ),
        (
            "KIND_CALL",
            kind::CALL as usize,
            "A call; the payload is the argument.",
        ),
        ("KIND_RESULT", kind::RESULT as usize, "A result."),
        ("KIND_THROWN", kind::THROWN as usize, "What the task threw."),
        (
            "KIND_NOTE",
            kind::NOTE as usize,
            "What a worker process says about itself, of no call.",
        ),
        (
            "FLAG_BLOCK",
            flag::BLOCK as usize,
            "The payload is in a block: the frame holds locator and bytes, u64 each.",
        ),
        (
            "FLAG_ENGINE",
            flag::ENGINE as usize,
            "What is thrown is an engine's error, described by an object.",
        ),
        (
            "FLAG_TEXT",
            flag::TEXT as usize,
            "What is thrown is a text of a worker that is no JavaScript runtime.",
        ),
        (
            "FLAG_KEPT",
            flag::KEPT as usize,
            "A reply: the worker's program holds blocks that came with the call.",
        ),
        (
            "LENT",
            LENT,
            "Payloads from this many bytes are shown in place.",
        ),
        (
            "FLAG_ABORT",
            flag::ABORT as usize,
            "Abort slot and its ticket, u32 each, lie before the argument.",
        ),
        (
            "KIND_PAD",
            knit_ring::KIND_PAD as usize,
            "Only fills the space up to the end of a ring.",
        ),
        (
            "EXIT_NOT_INHERITED",
            tasks::NOT_INHERITED as usize,
            "Exit status of a worker process that was not given the pool's memory.",
        ),
        (
            "CONTROL_CLOCK",
            port::CLOCK,
            "Control word: microseconds, wrapping.",
        ),
        (
            "CONTROL_BACKLOG",
            port::BACKLOG,
            "Control word: calls waiting for room.",
        ),
        (
            "CONTROL_BLOCK_OFFSET",
            port::BLOCK_OFFSET,
            "Control word: place of the opened block in its heap.",
        ),
        (
            "CONTROL_BLOCK_BYTES",
            port::BLOCK_BYTES,
            "Control word: size of the opened block.",
        ),
        (
            "CONTROL_BLOCK_LOW",
            port::BLOCK_LOW,
            "Control word: lower word of the allocated block's locator.",
        ),
        (
            "CONTROL_BLOCK_HIGH",
            port::BLOCK_HIGH,
            "Control word: higher word of the allocated block's locator.",
        ),
        (
            "CONTROL_ABORTS",
            port::ABORTS,
            "Control word of a worker: changes with each abort.",
        ),
        (
            "CONTROL_DAMAGED",
            port::DAMAGED,
            "Control word of a host: 1 and the number of a worker that has damaged its reply ring, once; else 0.",
        ),
        (
            "CONTROL_FAR",
            port::FAR,
            "Control word of a host: 1 if replies are too far to be looked for, else 0.",
        ),
        (
            "CONTROL_ENTRIES",
            port::ENTRIES,
            "First control word of the entries.",
        ),
        (
            "SPAN_WORDS",
            port::SPAN_WORDS,
            "Control words of one span of replies: worker, first byte, end.",
        ),
        (
            "CALL_WORDS",
            port::CALL_WORDS,
            "Control words of one expired call: number, generation.",
        ),
        (
            "HEADER_WORKERS",
            header_words::WORKERS,
            "Byte in the region: u32, workers.",
        ),
        (
            "HEADER_ABORT_SLOTS",
            header_words::ABORT_SLOTS,
            "Byte in the region: u32, abort slots.",
        ),
        (
            "HEADER_ABORT_WORDS",
            header_words::ABORT_WORDS,
            "Byte in the region: u32, place of the abort slots' words.",
        ),
        (
            "HEADER_HOST_SHAPES",
            header_words::HOST_SHAPES,
            "Byte in the region: u32, place of the host's shape table.",
        ),
        (
            "HEADER_HOST_SHAPE_BYTES",
            header_words::HOST_SHAPE_BYTES,
            "Byte in the region: u32, its bytes.",
        ),
        (
            "HEADER_WORKER_SHAPES",
            header_words::WORKER_SHAPES,
            "Byte in the region: u32, place of the workers' shape tables.",
        ),
        (
            "HEADER_WORKER_SHAPE_BYTES",
            header_words::WORKER_SHAPE_BYTES,
            "Byte in the region: u32, bytes of each.",
        ),
    ];
    let mut text = String::from(
        "// Generated from the Rust layout by `cargo xtask layout`. Do not edit: a test compares this file with its source.\n",
    );
    for (name, value, meaning) in constants {
        write!(text, "\n/** {meaning} */\nexport const {name} = {value};\n")
            .expect("a String takes everything");
    }
    text.push_str("\n/** How calls are spread over lanes; a balancer's number is its place. */\n");
    text.push_str("export const BALANCERS = [\n");
    for strategy in Strategy::ALL {
        writeln!(text, "  \"{}\",", strategy.name()).expect("a String takes everything");
    }
    text.push_str("] as const;\n");
    text.push_str("\n/** Columns of a row of figures; times are in milliseconds. */\n");
    text.push_str("export const FIGURES = [\n");
    for column in port::FIGURES {
        writeln!(text, "  \"{}\",", camel(column)).expect("a String takes everything");
    }
    text.push_str("] as const;\n");
    write!(
        text,
        "\n/** What a worker's turn returns if it shall end. */\nexport const STOP = {};\n",
        port::STOP
    )
    .expect("a String takes everything");
    text
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(1);
        text.push_str(&first.to_uppercase());
        text.push_str(rest);
    }
    text
}
