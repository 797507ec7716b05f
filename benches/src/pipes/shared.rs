//! The region between two processes: a ring each way and a word that says that the second is there.
//!
//! 1. The first process makes the region and its own ring, and starts the second with the region as its standard input.
//! 2. The second makes its own ring, says so, and attaches to the first one's.
//! 3. The first sees the word and attaches to the second one's.

use super::peer::Peer;
use crate::message::poll;
use knit_shm::{Area, Region};
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A region with room for two rings.
pub struct Shared {
    region: Region,
    bytes: usize,
}

impl Shared {
    /// A new one, for two rings of so many bytes.
    pub fn new(bytes: usize) -> Shared {
        let region = Region::anonymous(2 * bytes + knit_ring::LINE).expect("a region");
        Shared { region, bytes }
    }

    /// In the second process: what the first gave it.
    pub fn inherited(bytes: usize) -> Shared {
        let descriptor = stdin().as_fd().try_clone_to_owned().expect("a descriptor");
        let region = Region::attach(descriptor).expect("the region of the first process");
        Shared { region, bytes }
    }

    /// Where the first process sends.
    pub fn first(&self) -> Area {
        self.region.area(0, self.bytes).expect("within the region")
    }

    /// Where the second process sends.
    pub fn second(&self) -> Area {
        self.region
            .area(self.bytes, self.bytes)
            .expect("within the region")
    }

    /// Starts the second process and waits until it is ready.
    pub fn start(&self, name: &str) -> Peer {
        let fd = self
            .region
            .fd()
            .expect("an anonymous region has a descriptor");
        let stdin = Stdio::from(fd.try_clone_to_owned().expect("a descriptor"));
        let peer = Peer::start(name, "", stdin);
        let word = self
            .region
            .atomic_u32(2 * self.bytes)
            .expect("within the region");
        let start = Instant::now();
        poll(|| {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the other side does not start"
            );
            // Acquire: pairs with the Release in `ready`; its ring was made before.
            (word.load(Ordering::Acquire) == 1).then_some(())
        });
        peer
    }

    /// In the second process: its ring is there.
    pub fn ready(&self) {
        let word = self
            .region
            .atomic_u32(2 * self.bytes)
            .expect("within the region");
        // Release: pairs with the Acquire in `start`.
        word.store(1, Ordering::Release);
    }
}
