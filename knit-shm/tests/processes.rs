//! What regions and waits promise between processes.
//!
//! Each test runs itself a second time in a process of its own, which gets the region and plays the other part.
#![cfg(not(miri))]

mod common;

use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::Name;
use knit_shm::Region;
use knit_shm::wait::{Outcome, shared};

/// Tells a process that it is the second one, and by which name it finds the region (none: its standard input).
const PEER: &str = "KNIT_SHM_TEST_PEER";

/// No promise about time: only so that a broken wake fails a test instead of hanging it.
const LONG: Duration = Duration::from_secs(30);

const TO_PEER: usize = 0;
const TO_HOST: usize = 128;
const TEXT: usize = 5000;

fn spawn(test: &str, stdin: Stdio, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PEER, name)
        .stdin(stdin)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for_value(word: &AtomicU32, before: u32) {
    // Acquire, with the other process's Release: what it wrote before is here.
    while word.load(Ordering::Acquire) == before {
        let outcome = shared::wait(word, before, Some(LONG)).unwrap();
        assert_ne!(outcome, Outcome::TimedOut);
    }
}

fn peer(region: &Region) {
    // The host changes nothing here, it only wakes: so this is a wake that came across.
    let word = region.atomic_u32(TO_PEER).unwrap();
    assert_eq!(shared::wait(word, 0, Some(LONG)), Ok(Outcome::Woken));
    assert_eq!(&region.read::<[u8; 8]>(TEXT).unwrap(), b"question");
    region.copy_to(TEXT, b"answered").unwrap();
    let word = region.atomic_u32(TO_HOST).unwrap();
    word.store(1, Ordering::Release);
    shared::wake(word, 1);
}

fn host(region: &Region, mut child: Child) {
    region.copy_to(TEXT, b"question").unwrap();
    let word = region.atomic_u32(TO_PEER).unwrap();
    // Until the other process is asleep, there is nobody to be counted.
    while shared::wake(word, 1) == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the peer ended early");
        thread::sleep(Duration::from_millis(1));
    }
    wait_for_value(region.atomic_u32(TO_HOST).unwrap(), 0);
    assert_eq!(&region.read::<[u8; 8]>(TEXT).unwrap(), b"answered");
    assert!(child.wait().unwrap().success());
}

#[test]
fn bytes_and_wakes_cross_by_descriptor() {
    if std::env::var_os(PEER).is_some() {
        let fd = stdin().as_fd().try_clone_to_owned().unwrap();
        return peer(&Region::attach(fd).unwrap());
    }
    let region = Region::anonymous(1 << 20).unwrap();
    let fd = region.fd().unwrap().try_clone_to_owned().unwrap();
    let child = spawn("bytes_and_wakes_cross_by_descriptor", fd.into(), "");
    host(&region, child);
}

#[test]
fn bytes_and_wakes_cross_by_name() {
    if let Ok(name) = std::env::var(PEER) {
        return peer(&Region::open_named(&name).unwrap());
    }
    let name = Name::new();
    let region = Region::named(&name.0, 1 << 20).unwrap();
    let child = spawn("bytes_and_wakes_cross_by_name", Stdio::null(), &name.0);
    host(&region, child);
}

#[test]
fn memory_outlives_a_process_that_is_killed() {
    if std::env::var_os(PEER).is_some() {
        let fd = stdin().as_fd().try_clone_to_owned().unwrap();
        let region = Region::attach(fd).unwrap();
        region.copy_to(TEXT, b"answered").unwrap();
        let word = region.atomic_u32(TO_HOST).unwrap();
        word.store(1, Ordering::Release);
        shared::wake(word, 1);
        // Asleep in the region when the end comes.
        let woken = shared::wait(region.atomic_u32(TO_PEER).unwrap(), 0, Some(LONG));
        panic!("the kill came too late: {woken:?}");
    }
    let region = Region::anonymous(1 << 20).unwrap();
    let fd = region.fd().unwrap().try_clone_to_owned().unwrap();
    let mut child = spawn("memory_outlives_a_process_that_is_killed", fd.into(), "");
    wait_for_value(region.atomic_u32(TO_HOST).unwrap(), 0);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(&region.read::<[u8; 8]>(TEXT).unwrap(), b"answered");
    // The dead sleeper is in nobody's way.
    assert_eq!(shared::wake(region.atomic_u32(TO_PEER).unwrap(), 1), 0);
}
