//! What the native tests share: scaling, frames whose bytes tell who they are, and being run again as another process.
#![allow(dead_code, reason = "each test uses its part of it")]

pub mod peers;

use knit_ring::{FrameHeader, Owner};
use knit_shm::Region;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

/// `count`, divided by the environment's `KNIT_TEST_DIVISOR`: for runs under tools that slow a program down a hundredfold.
pub fn scaled(count: u64) -> u64 {
    let divisor = std::env::var("KNIT_TEST_DIVISOR").map_or(1, |text| text.parse().unwrap());
    (count / divisor).max(100)
}

pub fn owner(number: u16) -> Owner {
    Owner::new(number).unwrap()
}

/// Frame number `call`: its length and bytes follow from it, and the header holds their checksum.
pub fn fill(call: u32, payload: &mut Vec<u8>) -> FrameHeader {
    let mut mixed = (call as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let len = (mixed >> 58) as usize;
    payload.clear();
    while payload.len() < len {
        mixed = mixed.rotate_left(23).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        payload.extend_from_slice(&mixed.to_le_bytes());
    }
    payload.truncate(len);
    header(call, payload)
}

pub fn header(call: u32, payload: &[u8]) -> FrameHeader {
    FrameHeader {
        payload_len: payload.len() as u32,
        function: call as u16,
        kind: 1,
        flags: 2,
        call,
        generation: checksum(payload),
    }
}

/// FNV-1a.
pub fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |sum, byte| {
        (sum ^ *byte as u32).wrapping_mul(0x0100_0193)
    })
}

/// Whether these are the header and bytes of the frame that the header says they are of.
pub fn is_genuine(header: &FrameHeader, payload: &[u8]) -> bool {
    let mut expected = Vec::new();
    *header == fill(header.call, &mut expected) && payload == expected
}

const ROLE: &str = "KNIT_RING_TEST_ROLE";

/// The role that this process was started for by [`again`], or `None` in the process that `cargo test` started.
pub fn role() -> Option<u16> {
    std::env::var(ROLE).ok().map(|text| text.parse().unwrap())
}

/// Runs the test `name` of this program once more, as another process that has `region` as its standard input.
pub fn again(name: &str, role: u16, region: &Region) -> Reaped {
    let memory = region.fd().unwrap().try_clone_to_owned().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROLE, role.to_string())
        .stdin(Stdio::from(memory))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Reaped(child)
}

/// The region that [`again`] handed over.
pub fn inherited() -> Region {
    Region::attach(std::io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap()
}

/// A child that does not outlive a failed test.
pub struct Reaped(Child);

impl Reaped {
    pub fn succeeds(&mut self) {
        assert!(self.0.wait().unwrap().success());
    }

    /// SIGKILL, and until it is gone.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        assert!(!self.0.wait().unwrap().success());
    }

    /// Fails the test if the child has ended: whoever waits for it would wait for ever.
    pub fn must_live(&mut self) {
        assert!(
            self.0.try_wait().unwrap().is_none(),
            "a child process ended early"
        );
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
