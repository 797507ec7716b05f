//! Faults on purpose: workers and hosts killed at random moments.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use knit_sched::{CallError, Config, Exit, Pool};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::ExitStatusExt;
use support::{ECHO, PID, SLEEP, again, ends_within, payload, process, serve_if_worker};

/// One test at a time: they look at what the whole process leaves behind.
static ALONE: Mutex<()> = Mutex::new(());

/// More than a worker ever takes at once.
const MOST_TAKEN: u64 = 64;

fn kill(pid: u32) {
    // An error says that it has ended already.
    let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL);
}

/// Processes that this one has started and not reaped.
fn children() -> String {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .collect()
}

/// How many mappings and descriptors of this process lead to shared memory; fails if one has a name that would outlive it.
fn shared_memory() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("/dev/shm/"), "{maps}");
    let links = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
        .map(|link| link.to_string_lossy().into_owned());
    let kept = |link: &String| link.contains("memfd:") || link.contains("pidfd");
    maps.matches("memfd:").count() + links.filter(kept).count()
}

/// Makes calls in batches until told to stop, then tells how many there were. Each ends well, or with a worker that was killed.
fn load(pool: &Pool, first: u32, enough: &AtomicBool, crashed: &AtomicU64) -> u64 {
    let mut next = first;
    while !enough.load(Ordering::Relaxed) {
        let batch: Vec<_> = (next..next + 300)
            .map(|n| match n % 100 {
                0 => (n, pool.call(SLEEP, 1_u32.to_le_bytes())),
                1 => (n, pool.call(ECHO, payload(n, 100_000))),
                _ => (n, pool.call(ECHO, payload(n, 100))),
            })
            .collect();
        next += 300;
        for (n, call) in batch {
            match call.wait() {
                Ok(result) if n % 100 > 1 => assert_eq!(result, payload(n, 100)),
                Ok(result) if n % 100 == 1 => assert_eq!(result, payload(n, 100_000)),
                Ok(result) => assert_eq!(result.len(), 4),
                Err(CallError::WorkerCrashed(Exit::Process(Some(status)))) => {
                    assert_eq!(status.signal(), Some(9));
                    crashed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => panic!("call {n}: {error}"),
            }
        }
    }
    u64::from(next - first)
}

fn survive(pool: Pool, kills: u64) {
    let (enough, crashed) = (AtomicBool::new(false), AtomicU64::new(0));
    let calls: u64 = std::thread::scope(|scope| {
        let (pool, enough, crashed) = (&pool, &enough, &crashed);
        let callers =
            [0, 1 << 24].map(|first| scope.spawn(move || load(pool, first, enough, crashed)));
        let mut killed = 0;
        while killed < kills {
            std::thread::sleep(Duration::from_micros(fastrand::u64(0..30_000)));
            let workers = pool.workers();
            let one = &workers[fastrand::usize(..workers.len())];
            if let (true, Some(pid)) = (one.alive, one.pid) {
                kill(pid);
                killed += 1;
            }
        }
        enough.store(true, Ordering::Relaxed);
        callers.map(|caller| caller.join().unwrap()).iter().sum()
    });
    let stats = pool.stats();
    let crashed = crashed.into_inner();
    assert_eq!(stats.stale, 0);
    assert_eq!(stats.crashed, crashed);
    assert_eq!(stats.answered + crashed, calls);
    assert!(crashed <= kills * MOST_TAKEN, "{crashed} of {calls}");
    // Whoever was killed is replaced, and serves.
    let replaced = |pool: &Pool| pool.workers().iter().all(|worker| worker.alive);
    while !replaced(&pool) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let wanted = pool.workers().len();
    let mut serving = std::collections::HashSet::new();
    while serving.len() < wanted {
        let calls = [(); 16].map(|()| pool.call(SLEEP, 5_u32.to_le_bytes()));
        serving.extend(calls.into_iter().map(|call| call.wait().unwrap()));
    }
    let restarts: u32 = pool.workers().iter().map(|worker| worker.restarts).sum();
    assert!(restarts > 0);
    eprintln!(
        "{calls} calls, {kills} kills, {crashed} calls ended with their worker, {restarts} replacements"
    );
    pool.close();
}

#[test]
fn killed_workers_take_only_their_own_calls_with_them() {
    serve_if_worker();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = shared_memory();
    let test = "killed_workers_take_only_their_own_calls_with_them";
    let small = Config {
        request_granules: 256,
        reply_granules: 256,
        arena_bytes: 4 * 1024 * 1024,
        ..Config::default()
    };
    for (steal, memory) in [(true, Config::default()), (false, small)] {
        let builder = Pool::builder().workers(4).steal(steal).memory(memory);
        survive(builder.processes(again(test)).unwrap(), 40);
    }
    assert_eq!(children(), "");
    assert_eq!(shared_memory(), before);
}

#[test]
fn workers_killed_as_they_start_are_replaced() {
    serve_if_worker();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let test = "workers_killed_as_they_start_are_replaced";
    let pool = Pool::builder().workers(2).processes(again(test)).unwrap();
    let mut last = [None; 2];
    let mut kills = 0;
    while kills < 10 {
        for (worker, last) in pool.workers().iter().zip(&mut last) {
            if worker.alive && worker.pid != *last {
                // At any moment of its start.
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..3000)));
                *last = worker.pid;
                kill(worker.pid.unwrap());
                kills += 1;
            }
        }
    }
    for n in 0..100 {
        assert_eq!(pool.call(ECHO, payload(n, 100)).wait(), Ok(payload(n, 100)));
    }
    pool.close();
    assert_eq!(children(), "");
}

const HOST: &str = "KNIT_TEST_HOST";

/// A host with three workers: it tells who they are, leaves two of them busy for an hour, and waits.
fn be_a_host(test: &str) -> ! {
    let mut command = again(test);
    command.env_remove(HOST);
    let pool = Pool::builder().workers(3).processes(command).unwrap();
    let pids: Vec<_> = pool
        .workers()
        .iter()
        .map(|worker| worker.pid.unwrap().to_string())
        .collect();
    pool.call(PID, []).wait().unwrap();
    let _busy = [(); 2].map(|()| pool.call(SLEEP, 3_600_000_u32.to_le_bytes()));
    println!("\nworkers {}", pids.join(" "));
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_host_leaves_no_worker() {
    let test = "a_killed_host_leaves_no_worker";
    serve_if_worker();
    if std::env::var_os(HOST).is_some() {
        be_a_host(test);
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for round in 0..5 {
        let mut host = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(HOST, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(host.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix("workers ")?.to_owned()))
            .unwrap();
        let workers: Vec<_> = told
            .split(' ')
            .map(|pid| process(pid.parse().unwrap()))
            .collect();
        assert_eq!(workers.len(), 3);
        assert!(workers.iter().all(|worker| !ends_within(worker, 0)));
        // Some rounds give the slower ones the time to attach, some do not.
        std::thread::sleep(Duration::from_millis(round * 5));
        let killed = Instant::now();
        host.kill().unwrap();
        host.wait().unwrap();
        for worker in &workers {
            assert!(ends_within(worker, 30));
        }
        eprintln!("all workers had ended after {:?}", killed.elapsed());
    }
}
