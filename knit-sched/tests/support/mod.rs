//! Worker processes of the tests: the test program itself, run again. Every test that starts some begins with [`serve_if_worker`].

#![allow(
    dead_code,
    reason = "every test program includes this and uses a part of it"
)]

use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::time::Duration;

use knit_sched::{Functions, process, serve_process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Returns its argument.
pub const ECHO: u16 = 0;
/// Throws its argument.
pub const THROW: u16 = 1;
/// Panics with its argument.
pub const PANIC: u16 = 2;
/// Exits with the status that its argument is.
pub const EXIT: u16 = 3;
/// Returns the worker's process id.
pub const PID: u16 = 4;
/// Sleeps as many milliseconds as its argument says, and returns the worker's process id.
pub const SLEEP: u16 = 5;
/// Returns as many bytes as its argument says.
pub const BYTES: u16 = 6;
/// Returns what the worker reads from its standard input.
pub const STDIN: u16 = 7;
/// No function.
pub const MISSING: u16 = 8;

fn number(argument: &[u8]) -> u32 {
    u32::from_le_bytes(argument.try_into().unwrap())
}

fn pid() -> Vec<u8> {
    std::process::id().to_le_bytes().to_vec()
}

pub fn functions() -> Functions {
    Functions::new()
        .with(|argument| Ok(argument.to_vec()))
        .with(|argument| Err(argument.to_vec()))
        // Without the message on standard error that `panic!` brings.
        .with(|argument| resume_unwind(Box::new(String::from_utf8(argument.to_vec()).unwrap())))
        .with(|argument| std::process::exit(number(argument) as i32))
        .with(|_| Ok(pid()))
        .with(|argument| {
            std::thread::sleep(Duration::from_millis(number(argument).into()));
            Ok(pid())
        })
        .with(|argument| Ok(vec![7; number(argument) as usize]))
        .with(|_| Ok(std::io::read_to_string(std::io::stdin()).unwrap().into()))
}

/// In a process that was started as a worker: serves, and does not return.
pub fn serve_if_worker() {
    if process::is_worker() {
        let status = match serve_process(&functions()) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("worker {}: {error}", std::process::id());
                1
            }
        };
        std::process::exit(status);
    }
}

/// This program again, running that test only.
pub fn again(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .stdout(Stdio::null());
    command
}

/// A process, by a descriptor that no other will ever answer to. Fails if there is none.
pub fn process(pid: u32) -> OwnedFd {
    let pid = Pid::from_raw(pid as i32).unwrap();
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

/// Whether the process ends within so many seconds.
pub fn ends_within(process: &OwnedFd, seconds: i64) -> bool {
    let timeout = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout)).unwrap() == 1
}

/// Bytes that tell of which call they are, of some length.
pub fn payload(call: u32, longest: u32) -> Vec<u8> {
    let mut state = call.wrapping_mul(0x9E37_79B9) | 1;
    let len = 4 + state % longest;
    let mut bytes = call.to_le_bytes().to_vec();
    bytes.extend((4..len).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    }));
    bytes
}
