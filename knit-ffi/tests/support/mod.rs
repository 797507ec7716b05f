//! The functions of the border, called as a foreign program would: by number, with places for results.

#![allow(dead_code, reason = "no test needs all of it")]

use std::ffi::c_char;
use std::ptr;

use knit_ffi::abi::*;
use knit_ffi::error::*;
use knit_ffi::host::*;
use knit_ffi::host_places::*;
use knit_ffi::memory::*;
use knit_ffi::options::*;
use knit_ffi::worker::*;

pub fn options() -> Options {
    let mut options = empty_options();
    // SAFETY: the place is there.
    assert_eq!(unsafe { knit_options_default(&mut options) }, 0);
    options
}

pub fn empty_options() -> Options {
    Options {
        size: 0,
        workers: 0,
        steal: 0,
        arena_bytes: 0,
        abort_slots: 0,
        spin_microseconds: 0,
        request_granules: 0,
        reply_granules: 0,
        balancer: 0,
        alone: 0,
    }
}

pub fn host(options: &Options) -> u32 {
    let mut host = 0;
    // SAFETY: both are there.
    assert_eq!(unsafe { knit_host_create(options, &mut host) }, 0);
    host
}

/// The code of this thread's last error.
pub fn code() -> String {
    let mut code = [0 as c_char; 64];
    // SAFETY: the room is there.
    let len = unsafe { knit_last_error_code(code.as_mut_ptr(), code.len()) };
    code.map(|c| char::from(c as u8))[..len as usize]
        .iter()
        .collect()
}

/// Memory that was handed out, until it is dropped.
pub struct Shown(pub Memory);

impl Shown {
    pub fn new(get: impl FnOnce(*mut Memory) -> i32) -> Self {
        let mut memory = Memory {
            data: ptr::null_mut(),
            bytes: 0,
            token: 0,
            reserved: 0,
        };
        assert!(get(&mut memory) >= 0, "{}", code());
        assert!(!memory.data.is_null() && memory.token != 0);
        Self(memory)
    }

    pub fn host(host: u32, which: u32) -> Self {
        // SAFETY: the place is there.
        Self::new(|out| unsafe { knit_host_memory(host, which, out) })
    }

    pub fn worker(worker: u32, which: u32) -> Self {
        // SAFETY: the place is there.
        Self::new(|out| unsafe { knit_worker_memory(worker, which, out) })
    }

    pub fn read(&self, at: usize, len: usize) -> Vec<u8> {
        assert!(at + len <= self.0.bytes as usize);
        let mut bytes = vec![0; len];
        // SAFETY: in bounds.
        let from = unsafe { self.0.data.add(at) };
        // SAFETY: in bounds; published, or private to this thread.
        unsafe { ptr::copy(from, bytes.as_mut_ptr(), len) };
        bytes
    }

    pub fn word(&self, word: usize) -> u32 {
        u32::from_le_bytes(self.read(word * 4, 4).try_into().unwrap())
    }

    pub fn write(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.0.bytes as usize);
        // SAFETY: in bounds.
        let to = unsafe { self.0.data.add(at) };
        // SAFETY: in bounds; private to this thread.
        unsafe { ptr::copy(bytes.as_ptr(), to, bytes.len()) };
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        knit_memory_release(self.0.token);
    }
}

/// A frame as it is handed over.
pub fn frame(header: Frame, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(header.function.to_le_bytes());
    bytes.extend([header.kind, header.flags]);
    bytes.extend(header.call.to_le_bytes());
    bytes.extend(header.generation.to_le_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(KNIT_FRAME_GRANULE), 0);
    bytes
}

pub fn call(call: u32, payload: &[u8]) -> Vec<u8> {
    let header = Frame {
        kind: KNIT_KIND_CALL,
        call,
        ..Frame::default()
    };
    frame(header, payload)
}

/// The header before a payload in the front.
pub fn header(front: &Shown, payload: usize) -> Frame {
    let bytes = front.read(payload - 16, 16);
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    Frame {
        payload_len: word(0),
        function: u16::from_le_bytes([bytes[4], bytes[5]]),
        kind: bytes[6],
        flags: bytes[7],
        call: word(8),
        generation: word(12),
    }
}

/// Opens a place of a host and takes it on this thread.
pub fn worker(host: u32, index: u32) -> u32 {
    let place = place(host, index);
    let mut worker = 0;
    // SAFETY: both are there.
    let attached = unsafe { knit_worker_attach(&place, &mut worker) };
    assert_eq!(attached, 0, "{}", code());
    worker
}

pub fn place(host: u32, index: u32) -> Place {
    let mut place = Place {
        index,
        steal: 1,
        ..Place::default()
    };
    // SAFETY: the place is there.
    assert_eq!(unsafe { knit_host_token(host, &mut place.token) }, 0);
    // SAFETY: as above.
    let begun = unsafe { knit_host_begin(host, index, &mut place.epoch) };
    assert_eq!(begun, 0, "{}", code());
    place
}

/// Writes frames into a new submission buffer of a host and hands them over. Returns the spans of replies.
pub fn turn(host: u32, frames: &[u8]) -> i32 {
    // SAFETY: the place is there.
    let outbox = Shown::new(|out| unsafe { knit_host_outbox(host, frames.len() as u32, out) });
    outbox.write(0, frames);
    knit_host_turn(host, frames.len() as u32, 0)
}

/// Takes a turn of a worker and answers each call with its own argument. Returns the turn's result.
pub fn echo(worker: u32) -> i32 {
    let front = Shown::worker(worker, KNIT_MEMORY_FRONT);
    let control = Shown::worker(worker, KNIT_MEMORY_CONTROL);
    let calls = knit_worker_turn(worker, 0, 0);
    if calls <= 0 || calls == KNIT_STOP {
        return calls;
    }
    let mut replies = Vec::new();
    for n in 0..calls as usize {
        let at = control.word(KNIT_CONTROL_ENTRIES + n) as usize;
        let call = header(&front, at);
        let answer = Frame {
            kind: KNIT_KIND_RESULT,
            ..call
        };
        replies.extend(frame(answer, &front.read(at, call.payload_len as usize)));
    }
    // SAFETY: the place is there.
    let outbox = Shown::new(|out| unsafe { knit_worker_outbox(worker, replies.len() as u32, out) });
    outbox.write(0, &replies);
    assert_eq!(knit_worker_publish(worker, replies.len() as u32), 0);
    calls
}

/// The replies that a host's next turn shows: call and payload.
pub fn replies(host: u32) -> Vec<(u32, Vec<u8>)> {
    shown(host, knit_host_turn(host, 0, 0))
}

/// The replies in so many spans, which a turn or a wait has just shown.
pub fn shown(host: u32, spans: i32) -> Vec<(u32, Vec<u8>)> {
    assert!(spans >= 0, "{}", code());
    let front = Shown::host(host, KNIT_MEMORY_FRONT);
    let control = Shown::host(host, KNIT_MEMORY_CONTROL);
    let mut found = Vec::new();
    for span in 0..spans as usize {
        let entry = KNIT_CONTROL_ENTRIES + span * KNIT_SPAN_WORDS;
        let (mut at, end) = (
            control.word(entry + 1) as usize,
            control.word(entry + 2) as usize,
        );
        while at < end {
            let reply = header(&front, at + 16);
            let len = reply.payload_len as usize;
            if reply.kind != KNIT_KIND_PAD {
                found.push((reply.call, front.read(at + 16, len)));
            }
            at += (16 + len).next_multiple_of(KNIT_FRAME_GRANULE);
        }
    }
    found
}
