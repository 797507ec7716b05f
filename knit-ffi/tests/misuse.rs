//! Wrong use gets an error with a number and a code, and harms nothing.

mod support;

use std::ptr;

use knit_ffi::abi::*;
use knit_ffi::error::*;
use knit_ffi::host::*;
use knit_ffi::host_blocks::*;
use knit_ffi::host_calls::*;
use knit_ffi::host_places::*;
use knit_ffi::memory::*;
use knit_ffi::options::*;
use knit_ffi::process::*;
use knit_ffi::worker::*;
use knit_ffi::worker_blocks::*;

use support::*;

#[test]
fn a_handle_that_never_was_is_unknown() {
    for handle in [0, 1 << 30, u32::MAX] {
        assert_eq!(knit_host_turn(handle, 0, 0), KNIT_ERROR_CLOSED);
        assert_eq!(code(), "KNT_CLOSED");
        assert_eq!(knit_worker_turn(handle, 0, 0), KNIT_ERROR_CLOSED);
        assert_eq!(knit_host_close(handle), KNIT_ERROR_CLOSED);
        assert_eq!(knit_worker_close(handle), KNIT_ERROR_CLOSED);
        assert_eq!(knit_memory_release(handle), KNIT_ERROR_CLOSED);
        assert_eq!(knit_loan_drop(handle), KNIT_ERROR_CLOSED);
    }
}

#[test]
fn a_handle_is_unknown_after_close_and_closing_twice_is_an_error() {
    let host = host(&options());
    assert_eq!(knit_host_close(host), 0);
    assert_eq!(knit_host_close(host), KNIT_ERROR_CLOSED);
    assert_eq!(knit_host_arm(host), KNIT_ERROR_CLOSED);
    assert_eq!(knit_host_queued(host), KNIT_ERROR_CLOSED);
}

#[test]
fn a_handle_is_unknown_on_another_thread_and_as_another_kind() {
    let host = host(&options());
    let worker = worker(host, 0);
    std::thread::spawn(move || {
        assert_eq!(knit_host_turn(host, 0, 0), KNIT_ERROR_CLOSED);
        assert_eq!(code(), "KNT_CLOSED");
        assert_eq!(knit_worker_turn(worker, 0, 0), KNIT_ERROR_CLOSED);
        assert_eq!(knit_host_close(host), KNIT_ERROR_CLOSED);
    })
    .join()
    .unwrap();
    assert_eq!(knit_host_turn(worker, 0, 0), KNIT_ERROR_CLOSED);
    assert_eq!(knit_worker_turn(host, 0, 0), KNIT_ERROR_CLOSED);
    assert_eq!(knit_host_turn(host, 0, 0), 0);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn a_thread_that_ends_closes_what_it_had() {
    let (token, ring) = std::thread::spawn(|| {
        let host = host(&options());
        let mut token = 0;
        // SAFETY: the place is there.
        assert_eq!(unsafe { knit_host_token(host, &mut token) }, 0);
        (token, Shown::host(host, KNIT_MEMORY_FRONT).0.token)
    })
    .join()
    .unwrap();
    assert_eq!(knit_memory_release(ring), KNIT_ERROR_CLOSED);
    let place = Place {
        token,
        epoch: 1,
        ..Place::default()
    };
    let mut worker = 0;
    // SAFETY: both are there.
    let attached = unsafe { knit_worker_attach(&place, &mut worker) };
    assert_eq!(attached, KNIT_ERROR_CLOSED);
}

#[test]
#[expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "one duty for all: null is what they are told to refuse"
)]
fn null_is_refused_and_takes_nothing() {
    let host = host(&options());
    let mut worker = 0;
    // SAFETY: null is what all of these are told to refuse.
    unsafe {
        let refused = [
            knit_options_default(ptr::null_mut()),
            knit_host_create(ptr::null(), ptr::null_mut()),
            knit_host_token(host, ptr::null_mut()),
            knit_host_memory(host, KNIT_MEMORY_FRONT, ptr::null_mut()),
            knit_host_memory(host, KNIT_MEMORY_CONTROL, ptr::null_mut()),
            knit_host_outbox(host, 64, ptr::null_mut()),
            knit_host_begin(host, 0, ptr::null_mut()),
            knit_host_lend_block(host, 300_000, ptr::null_mut()),
            knit_host_hold_block(host, 0, 0, 0, ptr::null_mut()),
            knit_worker_attach(ptr::null(), &mut worker),
            knit_worker_attach(&Place::default(), ptr::null_mut()),
            knit_process_join(ptr::null_mut()),
            knit_host_boot(host, ptr::null(), 4, ptr::null(), 0),
            knit_host_spawn(host, 0, ptr::null(), 4, &mut worker),
            knit_host_spawn(host, 0, ptr::null(), 0, ptr::null_mut()),
        ];
        assert_eq!(refused, [KNIT_ERROR_ARGUMENT; 15]);
        assert_eq!(code(), "KNT_ARGUMENT");
        assert!(knit_last_error(ptr::null_mut(), 0) > 0);
        // The place was not opened by the refused call.
        let mut epoch = 0;
        assert_eq!(knit_host_begin(host, 0, &mut epoch), 0);
    }
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn options_outside_their_limits_are_refused() {
    let wrong: [fn(&mut Options); 8] = [
        |options| options.size = 0,
        |options| options.size += 4,
        |options| options.size -= 1,
        |options| options.steal = 2,
        |options| options.balancer = 99,
        |options| options.workers = 0,
        |options| options.arena_bytes = 5,
        |options| options.request_granules = 65,
    ];
    for (n, change) in wrong.into_iter().enumerate() {
        let mut options = options();
        change(&mut options);
        let mut host = 0;
        // SAFETY: both are there.
        let made = unsafe { knit_host_create(&options, &mut host) };
        let number = if n < 5 {
            KNIT_ERROR_ARGUMENT
        } else {
            KNIT_ERROR_ENGINE
        };
        assert_eq!((n, made, host), (n, number, 0));
        assert!(code().starts_with("KNT_"), "{}", code());
    }
}

#[test]
fn fields_that_an_earlier_caller_does_not_know_are_the_defaults() {
    let mut given = options();
    given.size = 8;
    given.workers = 3;
    given.arena_bytes = 1;
    let host = host(&given);
    let front = Shown::host(host, KNIT_MEMORY_HEAP + 3);
    assert!(front.0.bytes >= u64::from(options().arena_bytes));
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn memory_and_places_that_are_not_there_are_refused() {
    let host = host(&options());
    let mut out = Memory {
        data: ptr::null_mut(),
        bytes: 0,
        token: 0,
        reserved: 0,
    };
    for which in [KNIT_MEMORY_HEAP + 2, u32::MAX] {
        // SAFETY: the place is there.
        let shown = unsafe { knit_host_memory(host, which, &mut out) };
        assert_eq!(shown, KNIT_ERROR_ENGINE);
        assert_eq!(code(), "KNT_NO_SUCH_WORKER");
    }
    let worker = worker(host, 0);
    // SAFETY: the place is there.
    let shown = unsafe { knit_worker_memory(worker, KNIT_MEMORY_FIGURES, &mut out) };
    assert_eq!(shown, KNIT_ERROR_ARGUMENT);
    assert_eq!(out.token, 0);
    let mut epoch = 0;
    // SAFETY: the place is there.
    let begun = unsafe { knit_host_begin(host, 0, &mut epoch) };
    assert_eq!(
        (begun, code()),
        (KNIT_ERROR_ENGINE, "KNT_NOT_STARTING".into())
    );
    assert_eq!(knit_host_stop(host, 7), KNIT_ERROR_ENGINE);
    assert_eq!(code(), "KNT_NO_SUCH_WORKER");
    assert_eq!(knit_host_kill(host, 0, 99_999), 0);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn frames_outside_the_buffer_are_refused() {
    let host = host(&options());
    assert_eq!(knit_host_turn(host, 1 << 20, 0), KNIT_ERROR_ARGUMENT);
    assert_eq!(knit_host_submit(host, 1 << 20), KNIT_ERROR_ARGUMENT);
    let mut damaged = call(1, b"argument");
    damaged[3] = 0x7F;
    assert_eq!(turn(host, &damaged), KNIT_ERROR_ENGINE);
    assert_eq!(code(), "KNT_BAD_SUBMISSION");
    let worker = worker(host, 0);
    assert_eq!(knit_worker_turn(worker, 1 << 20, 0), KNIT_ERROR_ARGUMENT);
    assert_eq!(knit_worker_publish(worker, 1 << 20), KNIT_ERROR_ARGUMENT);
    assert_eq!(knit_worker_turn(worker, 0, 0), 0);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn blocks_that_nobody_has_are_refused() {
    let host = host(&options());
    let worker = worker(host, 0);
    assert_eq!(knit_host_open_block(host, 0, 1, 2), KNIT_ERROR_ENGINE);
    assert_eq!(knit_host_free_block(host, 1, 2), KNIT_ERROR_ENGINE);
    assert_eq!(knit_worker_open_block(worker, 1, 2), KNIT_ERROR_ENGINE);
    assert_eq!(knit_worker_close_block(worker, 1, 2), KNIT_ERROR_ENGINE);
    assert_eq!(knit_host_take_over_block(host, 1, 2), 0);
    assert_eq!(knit_host_abort(host, 9_999, 0), 0);
    assert_eq!(knit_host_release_abort(host, 9_999, 0), 0);
    assert_eq!(knit_host_next_deadline(host), KNIT_NONE);
    assert_eq!(knit_worker_close(worker), 0);
    assert_eq!(knit_host_close(host), 0);
}

#[test]
fn a_process_that_nobody_started_joins_nothing() {
    let mut place = Place::default();
    // SAFETY: the place is there.
    let joined = unsafe { knit_process_join(&mut place) };
    assert_eq!(joined, KNIT_ERROR_ENGINE);
    assert_eq!(place, Place::default());
    // SAFETY: nothing is written.
    let result = unsafe { knit_process_boot(ptr::null_mut(), 0) };
    assert_eq!(result, KNIT_ERROR_ENGINE);
}
