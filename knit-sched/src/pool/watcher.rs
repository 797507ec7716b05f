//! The watcher of a pool's processes: one thread that sleeps until one of them ends, and says how it ended.
//!
//! It polls their pidfds, and an eventfd by which it is told of new ones: no timer, no signal handler, no thread per process. Reused process
//! ids cannot mislead it. It reaps what it reports, so no zombie stays.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::call::Exit;
use super::mailbox::{Ended, Mailbox};
use crate::error::{Result, SchedError};

struct Kept {
    worker: usize,
    epoch: u32,
    child: Child,
    pidfd: Arc<OwnedFd>,
}

#[derive(Default)]
struct Orders {
    kept: Vec<Kept>,
    finish: bool,
}

struct Bench {
    orders: Mutex<Orders>,
    bell: OwnedFd,
}

impl Bench {
    fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.orders.lock().unwrap_or_else(PoisonError::into_inner));
        // It fails only if 2^64 rings were not heard.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

pub(super) struct Watcher {
    bench: Arc<Bench>,
    thread: JoinHandle<()>,
    /// Of every place, the last process.
    pidfds: Vec<Option<Arc<OwnedFd>>>,
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> SchedError {
    move |source| SchedError::Io { what, source }
}

impl Watcher {
    pub(super) fn start(mailbox: Arc<Mailbox>) -> Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| io("eventfd")(errno.into()))?;
        let bench = Arc::new(Bench {
            orders: Mutex::default(),
            bell,
        });
        let watched = bench.clone();
        let thread = std::thread::Builder::new()
            .name("knit-watcher".into())
            .spawn(move || keep(&watched, &mailbox))
            .map_err(io("starting a thread"))?;
        Ok(Self {
            bench,
            thread,
            pidfds: Vec::new(),
        })
    }

    /// Starts a process with that descriptor as its standard input.
    pub(super) fn spawn(
        &mut self,
        command: &mut Command,
        descriptor: OwnedFd,
        worker: usize,
        epoch: u32,
    ) -> Result<Option<u32>> {
        let spawned = command.stdin(Stdio::from(descriptor)).spawn();
        // The command keeps what it was given: without this the descriptor would stay open until the next start.
        command.stdin(Stdio::null());
        let mut child = spawned.map_err(io("starting a worker process"))?;
        let pid = child.id();
        let pidfd = match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => Arc::new(pidfd),
            Err(errno) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(io("pidfd_open")(errno.into()));
            }
        };
        if self.pidfds.len() <= worker {
            self.pidfds.resize(worker + 1, None);
        }
        self.pidfds[worker] = Some(pidfd.clone());
        let kept = Kept {
            worker,
            epoch,
            child,
            pidfd,
        };
        self.bench.order(|orders| orders.kept.push(kept));
        Ok(Some(pid))
    }

    pub(super) fn kill(&mut self) {
        for pidfd in self.pidfds.iter().flatten() {
            // An error says that it has ended already.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
    }

    /// Ends the thread, when every process has been reported.
    pub(super) fn finish(self) {
        self.bench.order(|orders| orders.finish = true);
        let _ = self.thread.join();
    }
}

fn keep(bench: &Bench, mailbox: &Mailbox) {
    let mut kept: Vec<Kept> = Vec::new();
    let mut finish = false;
    while !(finish && kept.is_empty()) {
        let mut fds = vec![PollFd::new(&bench.bell, PollFlags::IN)];
        fds.extend(
            kept.iter()
                .map(|one| PollFd::from_borrowed_fd(one.pidfd.as_fd(), PollFlags::IN)),
        );
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            // Nothing that is polled here can fail, but for want of kernel memory, which passes.
            Err(_) => std::thread::yield_now(),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        // From the end: removing one moves only those that were looked at.
        for n in (0..kept.len()).rev().filter(|n| ready[n + 1]) {
            let mut one = kept.swap_remove(n);
            mailbox.ended(Ended {
                worker: one.worker,
                epoch: one.epoch,
                exit: Exit::Process(one.child.wait().ok()),
            });
        }
        if ready[0] {
            let _ = rustix::io::read(&bench.bell, &mut [0; 8]);
            let mut orders = bench.orders.lock().unwrap_or_else(PoisonError::into_inner);
            kept.append(&mut orders.kept);
            finish = orders.finish;
        }
    }
}
