//! One thread that sleeps until one of a pool's processes ends, or has said something, and says how it ended.
//!
//! It polls their pidfds, the pipes of their standard error, their sockets for shared memory, and an eventfd by which it is told of new ones: no timer, no signal handler, no
//! thread per process. It reaps what it reports, so no zombie stays. Signals are sent by it, too: until it reaps a process, that process's number
//! is nobody else's.
//!
//! Each process that it starts with standard error piped leads a process group of its own: a signal reaches what a wrapper has started as well, also one that ends the wrapper alone,
//! and the terminal's do not reach workers, whose end is the host's business.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{FileType, Mode, OFlags, fcntl_setfl, fstat, open};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};

use super::door::Door;
use super::link::Link;
use super::stderr::{Forward, Stderr};
use crate::error::{Result, SchedError};

/// The end of a worker process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its place.
    pub worker: usize,
    /// The epoch that it was started for.
    pub epoch: u32,
    /// How it ended: none if the system did not keep that (in programs that ignore SIGCHLD).
    pub status: Option<ExitStatus>,
    /// The last lines of its standard error; empty if that was not piped.
    pub stderr: String,
}

/// What becomes of a process's standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StderrOf {
    /// As the command says.
    Command,
    /// Passed on to the host's, the last lines remembered.
    Watched,
    /// The last lines are remembered. Standard output goes nowhere.
    Remembered,
}

/// How a process gets what it needs.
pub(crate) enum Way {
    /// The pool's memory as its standard input, and a socket for shared memory.
    Inherits(OwnedFd, Option<Arc<Link>>),
    /// At a name, where the link begins.
    Connects(Door, Arc<Link>),
}

struct Kept {
    worker: usize,
    epoch: u32,
    child: Child,
    pidfd: OwnedFd,
    stderr: Option<Stderr>,
    link: Option<Arc<Link>>,
    /// Until the process has connected.
    door: Option<Door>,
    leads_group: bool,
}

impl Kept {
    /// An error says that it has ended already.
    fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.pidfd, signal);
        if self.leads_group {
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
        }
    }

    /// After its end, before it is reaped, while its group's number is nobody else's: what has ended a wrapper ends the worker behind it, too, which would
    /// run its task on, for nobody.
    fn end_group(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let end = waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
        let signal = end.ok().flatten().and_then(|end| end.terminating_signal());
        let Some(signal) = signal.filter(|_| self.leads_group) else {
            return;
        };
        let signal = Signal::from_named_raw(signal)
            .filter(|signal| [Signal::TERM, Signal::INT, Signal::HUP].contains(signal))
            .unwrap_or(Signal::KILL);
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

#[derive(Default)]
struct Orders {
    kept: Vec<Kept>,
    /// None: to all.
    signals: Vec<(Option<usize>, Signal)>,
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

pub(crate) struct Watcher {
    bench: Arc<Bench>,
    thread: JoinHandle<()>,
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> SchedError {
    move |source| SchedError::Io { what, source }
}

impl Watcher {
    /// Starts the thread, which reports to `tell`.
    pub(crate) fn start(tell: impl Fn(Ended) + Send + 'static) -> Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| io("eventfd")(errno.into()))?;
        let bench = Arc::new(Bench {
            orders: Mutex::default(),
            bell,
        });
        let watched = bench.clone();
        let thread = std::thread::Builder::new()
            .name("knit-watcher".into())
            .spawn(move || keep(&watched, tell))
            .map_err(io("starting a thread"))?;
        Ok(Self { bench, thread })
    }

    /// Starts a process. Returns its id.
    pub(crate) fn spawn(
        &mut self,
        command: &mut Command,
        way: Way,
        stderr: StderrOf,
        worker: usize,
        epoch: u32,
    ) -> Result<u32> {
        let watched = stderr != StderrOf::Command;
        if watched {
            // Passed on by hand: Node.js closes all that it has itself on exec, its standard output too.
            let stdout = match stderr {
                StderrOf::Watched => stdout(),
                StderrOf::Command | StderrOf::Remembered => None,
            };
            command
                .stdout(stdout.map_or_else(Stdio::null, Stdio::from))
                .stderr(Stdio::piped())
                .process_group(0);
        }
        let (stdin, link, door) = match way {
            Way::Inherits(memory, link) => (Stdio::from(memory), link, None),
            Way::Connects(door, link) => (Stdio::null(), Some(link), Some(door)),
        };
        let spawned = command.stdin(stdin).spawn();
        // The command keeps what it was given: without this the descriptor would stay open until the next start.
        command.stdin(Stdio::null());
        if watched {
            command.stdout(Stdio::null());
        }
        let mut child = spawned.map_err(|source| SchedError::Spawn {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        let pid = child.id();
        let pidfd = match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(errno) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(io("pidfd_open")(errno.into()));
            }
        };
        let pipe = child.stderr.take().map(OwnedFd::from);
        let kept = Kept {
            worker,
            epoch,
            child,
            pidfd,
            stderr: pipe.map(|pipe| Stderr::new(pipe, stderr == StderrOf::Watched)),
            link,
            door,
            leads_group: watched,
        };
        self.bench.order(|orders| orders.kept.push(kept));
        Ok(pid)
    }

    /// Sends a signal to the process in that place, if there is one, or to all.
    pub(crate) fn signal(&self, worker: Option<usize>, signal: Signal) {
        self.bench
            .order(|orders| orders.signals.push((worker, signal)));
    }

    /// Looks again at what there is to do.
    pub(crate) fn nudge(&self) {
        self.bench.order(|_| {});
    }

    /// Ends the thread, when every process has been reported.
    pub(crate) fn finish(self) {
        self.bench.order(|orders| orders.finish = true);
        let _ = self.thread.join();
    }
}

/// The host's standard output for a process of its own. Of a pipe that is another open file description: whether writes wait is a matter of the
/// description, and a host on Node.js makes its own writes not wait, which some runtimes take for a failure.
fn stdout() -> Option<OwnedFd> {
    let own = std::io::stdout();
    let another = fstat(&own)
        .ok()
        .filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
        .and_then(|_| {
            // Without waiting for somebody who reads: it fails if there is nobody.
            let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
            open("/proc/self/fd/1", flags, Mode::empty()).ok()
        })
        .filter(|pipe| fcntl_setfl(pipe, OFlags::empty()).is_ok());
    another.or_else(|| own.as_fd().try_clone_to_owned().ok())
}

/// What the thread works with.
struct Desk {
    kept: Vec<Kept>,
    /// Of processes that have ended: others may still write there.
    orphans: Vec<Stderr>,
    out: Forward,
}

/// What polling has found.
struct Found {
    orders: bool,
    stderr: bool,
    /// Of each process: its end, something in its pipe, something to do for its link, or somebody at its door.
    kept: Vec<[bool; 3]>,
    orphans: Vec<bool>,
}

impl Desk {
    fn poll(&self, bell: &OwnedFd) -> Option<Found> {
        let room = self.out.has_room();
        let own = rustix::stdio::stderr();
        // A descriptor that takes part without being asked for anything.
        let quiet = PollFlags::empty();
        let flags = |wanted: bool, flags| if wanted { flags } else { quiet };
        let mut fds = vec![
            PollFd::new(bell, PollFlags::IN),
            PollFd::from_borrowed_fd(
                if self.out.waits() { own } else { bell.as_fd() },
                flags(self.out.waits(), PollFlags::OUT),
            ),
        ];
        for one in &self.kept {
            let pipe = one.stderr.as_ref().filter(|_| room);
            fds.push(PollFd::new(&one.pidfd, PollFlags::IN));
            fds.push(match pipe.and_then(Stderr::fd) {
                Some(pipe) => PollFd::from_borrowed_fd(pipe, PollFlags::IN),
                None => PollFd::new(bell, quiet),
            });
            let link = one.link.as_ref().and_then(|link| link.wants());
            fds.push(match (&one.door, link) {
                (Some(door), _) => PollFd::new(door, PollFlags::IN),
                (None, Some((socket, flags))) => PollFd::from_borrowed_fd(socket, flags),
                (None, None) => PollFd::new(bell, quiet),
            });
        }
        for pipe in self.orphans.iter().filter(|_| room) {
            let pipe = pipe.fd().expect("an orphan is open");
            fds.push(PollFd::from_borrowed_fd(pipe, PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return None,
            // Nothing that is polled here can fail, but for want of kernel memory, which passes.
            Err(_) => {
                std::thread::yield_now();
                return None;
            }
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let (fixed, rest) = ready.split_at(2);
        let (kept, orphans) = rest.split_at(3 * self.kept.len());
        Some(Found {
            orders: fixed[0],
            stderr: fixed[1],
            kept: kept.chunks(3).map(|one| [one[0], one[1], one[2]]).collect(),
            orphans: orphans.to_vec(),
        })
    }

    fn read(&mut self, found: &Found) {
        let mut ready = found.orphans.iter();
        let out = &mut self.out;
        self.orphans
            .retain_mut(|pipe| !ready.next().is_some_and(|ready| *ready) || pipe.read(out));
        for (one, [_, said, link]) in self.kept.iter_mut().zip(&found.kept) {
            if let Some(link) = one.link.as_ref().filter(|_| *link) {
                match &one.door {
                    Some(door) if door.answer(link) => one.door = None,
                    Some(_) => {}
                    None => link.work(),
                }
            }
            if let Some(pipe) = one.stderr.as_mut().filter(|_| *said) {
                // At its end: it has closed it.
                if !pipe.read(out) {
                    pipe.close();
                }
            }
        }
    }

    /// Reaps those that have ended.
    fn reap(&mut self, found: &Found, tell: &impl Fn(Ended)) {
        // From the end: removing one moves only those that were looked at.
        for n in (0..found.kept.len()).rev().filter(|n| found.kept[*n][0]) {
            let mut one = self.kept.swap_remove(n);
            one.end_group();
            let mut lines = String::new();
            if let Some(mut pipe) = one.stderr {
                let open = pipe.drain(&mut self.out);
                lines = pipe.last_lines();
                if open {
                    self.orphans.push(pipe);
                }
            }
            tell(Ended {
                worker: one.worker,
                epoch: one.epoch,
                status: one.child.wait().ok(),
                stderr: lines,
            });
        }
    }
}

fn keep(bench: &Bench, tell: impl Fn(Ended)) {
    let mut desk = Desk {
        kept: Vec::new(),
        orphans: Vec::new(),
        out: Forward::default(),
    };
    let mut finish = false;
    while !(finish && desk.kept.is_empty()) {
        let Some(found) = desk.poll(&bench.bell) else {
            continue;
        };
        if found.stderr {
            desk.out.write();
        }
        desk.read(&found);
        desk.reap(&found, &tell);
        if found.orders {
            let _ = rustix::io::read(&bench.bell, &mut [0; 8]);
            let mut orders = bench.orders.lock().unwrap_or_else(PoisonError::into_inner);
            desk.kept.append(&mut orders.kept);
            for (worker, signal) in orders.signals.drain(..) {
                let meant = |one: &&Kept| worker.is_none_or(|worker| worker == one.worker);
                desk.kept
                    .iter()
                    .filter(meant)
                    .for_each(|one| one.signal(signal));
            }
            finish = orders.finish;
        }
    }
    // What was said last is worth a moment, but not for whoever does not read.
    desk.out.flush();
}
