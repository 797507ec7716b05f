//! The other process of a measurement: this program once more.

use super::Processes;
use crate::message::serve;
use std::env;
use std::process::{Child, Command, Stdio};

/// Names the contestant whose other side this process is, and a word for it, with a colon between.
pub const VARIABLE: &str = "KNIT_BENCH_PEER";

/// The other process; killed if it has not ended when this is dropped.
pub struct Peer(Child);

impl Peer {
    /// Starts this program as the other side of `name`.
    pub fn start(name: &str, word: &str, stdin: Stdio) -> Peer {
        let program = env::current_exe().expect("this program has a path");
        let child = Command::new(program)
            .env(VARIABLE, format!("{name}:{word}"))
            .stdin(stdin)
            .spawn()
            .expect("this program can be started");
        Peer(child)
    }

    /// Waits for it to end, after it was told to.
    pub fn wait(mut self) {
        let status = self.0.wait().expect("a child can be waited for");
        assert!(status.success(), "the other side ended with {status}");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In a process started as the other side of `P`: serves until it is told to end, and says true. Otherwise false.
pub fn served<P: Processes>() -> bool {
    let Ok(value) = env::var(VARIABLE) else {
        return false;
    };
    let Some(word) = value
        .strip_prefix(P::NAME)
        .and_then(|rest| rest.strip_prefix(':'))
    else {
        return false;
    };
    serve(P::connect(word));
    true
}
