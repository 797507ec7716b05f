//! What several of the test files need.

use std::sync::atomic::{AtomicU32, Ordering};

use knit_shm::Region;

/// A name that no other test, run or process uses; freed when the guard drops, whatever the test's end.
pub struct Name(pub String);

impl Name {
    pub fn new() -> Name {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        Name(format!("knit-test-{}-{serial}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // Missing where the test has freed the name itself.
        let _ = Region::unlink(&self.0);
    }
}
