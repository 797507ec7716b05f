//! Pools in Rust, with worker threads and with worker processes: what holds for one kind holds for the other.
#![cfg(target_os = "linux")]

mod support;

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use knit_sched::{Builder, CallError, Config, Exit, Pool, SchedError, process};
use support::{
    BYTES, ECHO, EXIT, MISSING, PANIC, PID, SLEEP, STDIN, THROW, again, ends_within, functions,
    payload, serve_if_worker,
};

/// A pool of each kind, and whether its workers are processes.
fn both(test: &str, builder: &Builder) -> [(Pool, bool); 2] {
    [
        (builder.clone().threads(functions()).unwrap(), false),
        (builder.clone().processes(again(test)).unwrap(), true),
    ]
}

fn two() -> Builder {
    Pool::builder().workers(2)
}

fn ms(n: u32) -> [u8; 4] {
    n.to_le_bytes()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}

#[test]
fn every_call_is_answered_once() {
    serve_if_worker();
    for (pool, _) in both("every_call_is_answered_once", &two()) {
        let round = |first: u32, calls: u32, longest: u32| {
            let calls: Vec<_> = (first..first + calls)
                .map(|n| (n, pool.call(ECHO, payload(n, longest))))
                .collect();
            for (n, call) in calls {
                assert_eq!(call.wait(), Ok(payload(n, longest)));
            }
        };
        round(0, 5000, 100);
        // Some of these travel in blocks.
        round(5000, 200, 200_000);
        for n in 0..200 {
            round(n, 1, 50);
        }
        assert_eq!(pool.stats().answered, 5400);
        assert_eq!(pool.stats().crashed + pool.stats().stale, 0);
    }
}

#[test]
fn calls_come_from_any_thread() {
    serve_if_worker();
    for (pool, _) in both("calls_come_from_any_thread", &two()) {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let pool = &pool;
                scope.spawn(move || {
                    for n in thread * 1000..thread * 1000 + 500 {
                        assert_eq!(pool.call(ECHO, payload(n, 64)).wait(), Ok(payload(n, 64)));
                    }
                });
            }
        });
        assert_eq!(pool.stats().answered, 2000);
    }
}

#[test]
fn a_process_serves_in_a_process_of_its_own() {
    serve_if_worker();
    for (pool, processes) in both("a_process_serves_in_a_process_of_its_own", &two()) {
        let mut seen = HashSet::new();
        // Two long calls at a time: both workers have to run one sooner or later.
        while seen.len() < if processes { 2 } else { 1 } {
            for call in [pool.call(SLEEP, ms(20)), pool.call(SLEEP, ms(20))] {
                seen.insert(number(&call.wait().unwrap()));
            }
        }
        let told: HashSet<u32> = pool.workers().iter().filter_map(|info| info.pid).collect();
        assert_eq!(seen.contains(&std::process::id()), !processes);
        assert_eq!(told, if processes { seen } else { HashSet::new() });
    }
}

#[test]
fn a_worker_may_be_started_through_other_commands() {
    serve_if_worker();
    let own = again("a_worker_may_be_started_through_other_commands");
    // The shell stays, as the parent of the worker: the pool knows its process id only.
    let mut wrapped = Command::new("sh");
    wrapped
        .args(["-c", r#""$0" "$@"; exit $?"#])
        .arg(own.get_program())
        .args(own.get_args())
        .stdout(Stdio::null());
    let pool = two().processes(wrapped).unwrap();
    let pid = number(&pool.call(PID, []).wait().unwrap());
    assert!(pool.workers().iter().all(|info| info.pid != Some(pid)));
    let worker = support::process(pid);
    let ends = pool.call(EXIT, ms(3)).wait();
    assert!(
        matches!(&ends, Err(CallError::WorkerCrashed(Exit::Process(Some(exit)))) if exit.code() == Some(3)),
        "{ends:?}"
    );
    pool.close();
    assert!(ends_within(&worker, 30));
}

#[test]
fn a_worker_process_cannot_read_the_memory_as_its_input() {
    serve_if_worker();
    let test = "a_worker_process_cannot_read_the_memory_as_its_input";
    let pool = two().processes(again(test)).unwrap();
    assert_eq!(pool.call(STDIN, []).wait(), Ok(Vec::new()));
}

#[test]
fn what_a_function_ends_with_ends_its_own_call_only() {
    serve_if_worker();
    let test = "what_a_function_ends_with_ends_its_own_call_only";
    let small = Config {
        arena_bytes: 1024 * 1024,
        ..Config::default()
    };
    for (pool, _) in both(test, &two().memory(small)) {
        let calls = [
            pool.call(THROW, b"no".to_vec()),
            pool.call(PANIC, b"ouch".to_vec()),
            pool.call(MISSING, []),
            pool.call(BYTES, 5_000_000_u32.to_le_bytes()),
            pool.call(ECHO, vec![0; 5_000_000]),
            pool.call(ECHO, b"yes".to_vec()),
        ];
        let [thrown, panicked, missing, long, longer, fine] = calls.map(|call| call.wait());
        assert_eq!(thrown, Err(CallError::Thrown(b"no".to_vec())));
        let failed = |outcome, text: &str| match outcome {
            Err(CallError::Failed(why)) => assert!(why.contains(text), "{why}"),
            other => panic!("{other:?}"),
        };
        failed(panicked, "ouch");
        failed(missing, "no function 8");
        failed(long, "5000000 bytes");
        assert!(matches!(
            longer,
            Err(CallError::TooLong {
                bytes: 5_000_000,
                ..
            })
        ));
        assert_eq!(fine, Ok(b"yes".to_vec()));
        assert!(pool.workers().iter().all(|info| info.restarts == 0));
    }
}

#[test]
fn a_worker_that_exits_ends_the_calls_it_had_and_is_replaced() {
    serve_if_worker();
    let test = "a_worker_that_exits_ends_the_calls_it_had_and_is_replaced";
    let pool = Pool::builder().workers(1).processes(again(test)).unwrap();
    for status in 1..=3_u32 {
        let before = pool.call(PID, []).wait().unwrap();
        // A function of which nothing is known, or that was long, is claimed alone: the echoes stay in the ring.
        let ends = pool.call(EXIT, status.to_le_bytes());
        let echoes: Vec<_> = (0..100).map(|n| pool.call(ECHO, payload(n, 50))).collect();
        let Err(CallError::WorkerCrashed(Exit::Process(Some(exit)))) = ends.wait() else {
            panic!("it must end with its worker")
        };
        assert_eq!(exit.code(), Some(status as i32));
        for (n, echo) in (0..).zip(echoes) {
            assert_eq!(echo.wait(), Ok(payload(n, 50)));
        }
        assert_ne!(pool.call(PID, []).wait().unwrap(), before);
    }
    assert_eq!(pool.stats().crashed, 3);
    assert_eq!(pool.workers()[0].restarts, 3);
}

#[test]
fn calls_in_the_lane_of_a_worker_that_is_not_replaced_are_run_by_others() {
    serve_if_worker();
    let test = "calls_in_the_lane_of_a_worker_that_is_not_replaced_are_run_by_others";
    let pool = two()
        .steal(false)
        .respawn(false)
        .processes(again(test))
        .unwrap();
    // Calls go round: the first, third, ... into the lane of the worker that will end.
    let ends = pool.call(EXIT, ms(0));
    let echoes: Vec<_> = (0..300).map(|n| pool.call(ECHO, payload(n, 50))).collect();
    assert!(matches!(ends.wait(), Err(CallError::WorkerCrashed(_))));
    for (n, echo) in (0..).zip(echoes) {
        assert_eq!(echo.wait(), Ok(payload(n, 50)));
    }
    let alive = pool.workers().iter().filter(|info| info.alive).count();
    assert_eq!(alive, 1);
    let (ends, waits) = (pool.call(EXIT, ms(0)), pool.call(ECHO, []));
    assert!(matches!(ends.wait(), Err(CallError::WorkerCrashed(_))));
    assert_eq!(waits.wait(), Err(CallError::NoWorkers));
    assert_eq!(pool.call(ECHO, []).wait(), Err(CallError::NoWorkers));
}

#[test]
fn a_closed_pool_leaves_no_open_call_and_no_worker() {
    serve_if_worker();
    let builder = two().grace(Duration::from_millis(50));
    for (pool, processes) in both("a_closed_pool_leaves_no_open_call_and_no_worker", &builder) {
        pool.call(ECHO, []).wait().unwrap();
        let workers: Vec<_> = pool
            .workers()
            .iter()
            .filter_map(|info| info.pid.map(support::process))
            .collect();
        // Threads end after what they run; processes are ended by force.
        let long = ms(if processes { 3_600_000 } else { 200 });
        let calls = [(); 4].map(|()| pool.call(SLEEP, long));
        pool.close();
        for call in calls {
            assert_eq!(call.wait(), Err(CallError::Closed));
        }
        assert_eq!(workers.len(), if processes { 2 } else { 0 });
        for worker in &workers {
            assert!(ends_within(worker, 0));
        }
    }
}

#[test]
fn a_worker_that_cannot_start_is_tried_again_after_growing_delays() {
    let started = Instant::now();
    let pool = Pool::builder()
        .workers(1)
        .processes(Command::new("false"))
        .unwrap();
    let waits = pool.call(ECHO, []);
    while pool.workers()[0].restarts < 5 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let delays = Duration::from_millis(10 + 20 + 40 + 80 + 160);
    assert!(started.elapsed() >= delays, "{:?}", started.elapsed());
    pool.close();
    assert_eq!(waits.wait(), Err(CallError::Closed));
}

#[test]
fn a_command_that_does_not_exist_is_an_error() {
    let error = two()
        .processes(Command::new("/nonexistent/worker"))
        .err()
        .unwrap();
    assert!(matches!(error, SchedError::Spawn { .. }), "{error}");
}

#[test]
fn a_process_that_no_host_started_is_no_worker() {
    assert!(!process::is_worker());
    assert!(process::attach().is_err());
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn a_call_can_be_awaited_or_waited_for_a_time() {
    let pool = two().threads(functions()).unwrap();
    let mut call = pin!(pool.call(SLEEP, ms(30)));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let outcome = loop {
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => break outcome,
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(number(&outcome.unwrap()), std::process::id());

    let call = pool.call(SLEEP, ms(100));
    let call = call
        .wait_for(Duration::from_millis(1))
        .expect_err("it is still running");
    assert!(call.wait_for(Duration::from_secs(60)).unwrap().is_ok());
}
