//! What the border promises of pools: calls come back, memory stays while it is held, bells ring until they are taken off.

mod support;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use knit_ffi::abi::*;
use knit_ffi::error::*;
use knit_ffi::host::*;
use knit_ffi::host_blocks::*;
use knit_ffi::host_calls::*;
use knit_ffi::host_figures::*;
use knit_ffi::host_places::*;
use knit_ffi::memory::*;
use knit_ffi::process::*;
use knit_ffi::worker::*;

use support::*;

#[test]
fn two_pools_on_one_thread_do_not_mix() {
    let hosts = [host(&options()), host(&options())];
    let workers = hosts.map(|host| worker(host, 0));
    for (host, payload) in hosts.into_iter().zip([b"first", b"other"]) {
        assert_eq!(turn(host, &call(1, payload)), 0);
    }
    for (pool, payload) in [(1, b"other"), (0, b"first")] {
        assert_eq!(echo(workers[pool]), 1);
        assert_eq!(echo(workers[pool]), 0);
        assert_eq!(replies(hosts[pool]), [(1, payload.to_vec())]);
    }
    assert_eq!(knit_host_close(hosts[0]), 0);
    assert_eq!(turn(hosts[1], &call(2, b"still")), 0);
    assert_eq!(echo(workers[1]), 1);
    assert_eq!(replies(hosts[1]), [(2, b"still".to_vec())]);
    assert_eq!(knit_host_close(hosts[1]), 0);
    for worker in workers {
        assert_eq!(knit_worker_close(worker), 0);
    }
}

#[test]
fn memory_is_good_until_its_token_is_given_back() {
    let host = host(&options());
    let worker = worker(host, 0);
    let front = Shown::worker(worker, KNIT_MEMORY_FRONT);
    let control = Shown::host(host, KNIT_MEMORY_CONTROL);
    // SAFETY: the place is there.
    let former = Shown::new(|out| unsafe { knit_host_outbox(host, 64, out) });
    former.write(0, &[7; 64]);
    // SAFETY: the place is there.
    let later = Shown::new(|out| unsafe { knit_host_outbox(host, 128, out) });
    assert_eq!(later.read(0, 128), [[7; 64], [0; 64]].concat());
    assert_eq!(knit_host_close(host), 0);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(front.read(0, 8), b"KNITPOOL");
    assert_eq!(former.read(0, 64), [7; 64]);
    assert_eq!(control.read(0, 4).len(), 4);
    let token = front.0.token;
    std::thread::spawn(move || {
        // A loan's function gives back no memory.
        assert_eq!(knit_loan_drop(token), KNIT_ERROR_CLOSED);
        assert_eq!(knit_memory_release(token), 0);
        assert_eq!(knit_memory_release(token), KNIT_ERROR_CLOSED);
    })
    .join()
    .unwrap();
    // It was given back: `drop` would do so again.
    std::mem::forget(front);
}

#[test]
fn a_full_heap_says_so_and_a_loan_given_back_on_any_thread_makes_room() {
    let options = Options {
        arena_bytes: 1 << 20,
        ..options()
    };
    let host = host(&options);
    let mut loans = Vec::new();
    let mut memory = Memory {
        data: ptr::null_mut(),
        bytes: 0,
        token: 0,
        reserved: 0,
    };
    // SAFETY: the place is there.
    while unsafe { knit_host_lend_block(host, 300_000, &mut memory) } == 1 {
        assert!(memory.bytes >= 300_000);
        // SAFETY: the block has so many bytes, and it is ours.
        unsafe { memory.data.write_bytes(9, 300_000) };
        loans.push(memory.token);
        assert!(loans.len() < 100);
    }
    assert!(!loans.is_empty());
    let first = loans.remove(0);
    std::thread::spawn(move || {
        assert_eq!(knit_memory_release(first), KNIT_ERROR_CLOSED);
        assert_eq!(knit_loan_drop(first), 0);
        assert_eq!(knit_loan_drop(first), KNIT_ERROR_CLOSED);
    })
    .join()
    .unwrap();
    // SAFETY: the place is there.
    let result = unsafe { knit_host_lend_block(host, 300_000, &mut memory) };
    assert_eq!(result, 1);
    assert_eq!(knit_host_alloc_block(host, u32::MAX), 0);
    loans.push(memory.token);
    // Also after the host.
    assert_eq!(knit_host_close(host), 0);
    for loan in loans {
        assert_eq!(knit_loan_drop(loan), 0);
    }
}

#[test]
fn calls_beyond_the_rings_wait_and_all_come_back() {
    let options = Options {
        request_granules: 64,
        reply_granules: 64,
        ..options()
    };
    let host = host(&options);
    let control = Shown::host(host, KNIT_MEMORY_CONTROL);
    let frames: Vec<u8> = (0..500).flat_map(|n| call(n, &n.to_le_bytes())).collect();
    assert_eq!(turn(host, &frames), 0);
    assert!(control.word(KNIT_CONTROL_BACKLOG) > 300);
    assert_eq!(knit_host_queued(host), 500);
    assert_eq!(knit_host_cancel(host, 499, 0), 1);
    assert_eq!(knit_host_cancel(host, 499, 0), 0);
    let worker = worker(host, 0);
    let mut seen = Vec::new();
    while seen.len() < 499 {
        assert!(echo(worker) >= 0);
        seen.extend(replies(host));
    }
    seen.sort_unstable();
    let all: Vec<_> = (0..499u32).map(|n| (n, n.to_le_bytes().to_vec())).collect();
    assert_eq!(seen, all);

    assert_eq!(knit_host_measure(host), 0);
    let figures = Shown::host(host, KNIT_MEMORY_FIGURES);
    let submitted = f64::from_le_bytes(figures.read(0, 8).try_into().unwrap());
    assert_eq!(submitted, 500.0);
    // What it claimed last counts as running until its next turn.
    assert_eq!(echo(worker), 0);
    assert_eq!(knit_host_running(host, 0), KNIT_NONE);
    assert_eq!(knit_host_state(host, 0), 3);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn what_a_dead_worker_had_taken_is_named_once() {
    let host = host(&options());
    let frames = [call(4, b"a"), call(5, b"b")].concat();
    assert_eq!(turn(host, &frames), 0);
    let dead = worker(host, 0);
    // A function that is not known yet is claimed alone.
    assert_eq!(knit_worker_turn(dead, 0, 0), 1);
    assert_eq!(knit_worker_close(dead), 0);
    assert_eq!(knit_host_retire(host, 0), 1);
    let mut calls = [0; 4];
    // SAFETY: the room is there.
    assert_eq!(unsafe { knit_host_retired(host, calls.as_mut_ptr(), 4) }, 1);
    assert_eq!(calls, [4, 0, 0, 0]);
    // SAFETY: as above.
    assert_eq!(unsafe { knit_host_retired(host, calls.as_mut_ptr(), 4) }, 0);
    let next = worker(host, 0);
    assert_eq!(echo(next), 1);
    assert_eq!(replies(host), [(5, b"b".to_vec())]);
    assert_eq!(knit_worker_close(next), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn deadlines_and_abort_slots_are_told() {
    let host = host(&options());
    assert_eq!(knit_host_deadline(host, 3, 1, 0), 0);
    assert_eq!(knit_host_deadline(host, 4, 1, u32::MAX), 0);
    let control = Shown::host(host, KNIT_MEMORY_CONTROL);
    while knit_host_expire(host) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(control.word(KNIT_CONTROL_ENTRIES), 3);
    assert_eq!(control.word(KNIT_CONTROL_ENTRIES + 1), 1);
    assert!((1..KNIT_NONE).contains(&knit_host_next_deadline(host)));
    assert_eq!(knit_host_cancel_deadline(host, 4), 1);
    assert_eq!(knit_host_next_deadline(host), KNIT_NONE);
    let slots = options().abort_slots as i32;
    let taken: Vec<i32> = (0..slots).map(|_| knit_host_take_abort(host)).collect();
    assert!(taken.iter().all(|slot| (0..slots).contains(slot)));
    assert_eq!(knit_host_take_abort(host), KNIT_NONE);
    assert_eq!(knit_host_close(host), 0);
}

/// Counts its rings, and tries what a bell must not.
struct Rung {
    count: AtomicU32,
    worker: AtomicU32,
    answer: AtomicU32,
}

unsafe extern "C" fn ring(context: *mut c_void) {
    // SAFETY: the context is what the test gave, and lives as long as it.
    let rung = unsafe { &*context.cast::<Rung>() };
    rung.count.fetch_add(1, Ordering::SeqCst);
    let answer = knit_worker_arm(rung.worker.load(Ordering::SeqCst));
    rung.answer.store(answer as u32, Ordering::SeqCst);
}

#[test]
fn a_bell_rings_an_armed_host_until_it_is_taken_off() {
    let rung = Rung {
        count: AtomicU32::new(0),
        worker: AtomicU32::new(0),
        answer: AtomicU32::new(0),
    };
    let context = ptr::from_ref(&rung).cast_mut().cast();
    let host = host(&options());
    let worker = worker(host, 0);
    rung.worker.store(worker, Ordering::SeqCst);
    // SAFETY: the context outlives the host.
    assert_eq!(unsafe { knit_host_bell(host, Some(ring), context) }, 0);
    assert_eq!(knit_host_wait(host, 0), KNIT_ERROR_ARGUMENT);

    let answer = |number| {
        assert_eq!(turn(host, &call(number, b"")), 0);
        assert_eq!(knit_host_arm(host), 1);
        assert_eq!(echo(worker), 1);
    };
    answer(1);
    assert_eq!(rung.count.load(Ordering::SeqCst), 1);
    // The worker's own turn rang it.
    assert_eq!(rung.answer.load(Ordering::SeqCst) as i32, KNIT_ERROR_BUSY);
    assert_eq!(replies(host).len(), 1);

    // SAFETY: no bell.
    assert_eq!(unsafe { knit_host_bell(host, None, ptr::null_mut()) }, 0);
    answer(2);
    assert_eq!(rung.count.load(Ordering::SeqCst), 1);
    assert_eq!(knit_host_wait(host, 0), 1);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn a_place_whose_former_worker_had_a_bell_wakes_one_that_waits() {
    let host = host(&options());
    let former = worker(host, 0);
    unsafe extern "C" fn silent(_: *mut c_void) {}
    // SAFETY: it needs no context.
    let set = unsafe { knit_worker_bell(former, Some(silent), ptr::null_mut()) };
    assert_eq!(set, 0);
    assert_eq!(knit_worker_wait(former, 0), KNIT_ERROR_ARGUMENT);
    assert_eq!(knit_worker_close(former), 0);
    assert_eq!(knit_host_retire(host, 0), 0);

    let place = place(host, 0);
    let thread = std::thread::spawn(move || {
        let mut worker = 0;
        // SAFETY: both are there.
        assert_eq!(unsafe { knit_worker_attach(&place, &mut worker) }, 0);
        loop {
            match echo(worker) {
                KNIT_STOP => return knit_worker_close(worker),
                0 => assert_eq!(knit_worker_wait(worker, -1), 0),
                calls => assert!(calls > 0, "{}", code()),
            }
        }
    });
    for number in 0..20 {
        let mut spans = turn(host, &call(number, b"wake up"));
        while shown(host, spans).is_empty() {
            spans = knit_host_wait(host, -1);
        }
        // So that it falls asleep now and then; no result depends on it.
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(knit_host_stop(host, 0), 0);
    assert_eq!(thread.join().unwrap(), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn a_process_is_started_and_its_end_is_told_whole() {
    let host = host(&options());
    unsafe extern "C" fn silent(_: *mut c_void) {}
    // SAFETY: it needs no context.
    let result = unsafe { knit_host_bell(host, Some(silent), ptr::null_mut()) };
    assert_eq!(result, 0);
    let (mut epoch, mut pid) = (0, 0);
    // SAFETY: the place is there.
    assert_eq!(unsafe { knit_host_begin(host, 0, &mut epoch) }, 0);
    let order = b"Ash\0A-c\0Aecho it is over >&2; exit 7\0EPATH=/usr/bin:/bin\0";
    // SAFETY: the bytes and the place are there.
    let started = unsafe { knit_host_spawn(host, 0, order.as_ptr(), order.len(), &mut pid) };
    assert_eq!(started, 0, "{}", code());
    assert!(pid > 0);
    let mut text = [0; 64];
    let len = loop {
        // SAFETY: the room is there, though less than it needs.
        let len = unsafe { knit_host_take_exit(host, text.as_mut_ptr(), 4) };
        if len > 0 {
            break len;
        }
        std::thread::yield_now();
    };
    // SAFETY: the room is there.
    let result = unsafe { knit_host_take_exit(host, text.as_mut_ptr(), 64) };
    assert_eq!(result, len);
    let told = text.map(|c| c as u8);
    assert!(told.starts_with(b"0\x007\0\0it is over"), "{told:?}");
    // SAFETY: as above.
    let result = unsafe { knit_host_take_exit(host, text.as_mut_ptr(), 64) };
    assert_eq!(result, 0);
    assert_eq!(knit_host_close(host), 0);
}
