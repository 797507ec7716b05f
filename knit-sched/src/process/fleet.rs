//! The processes of a host that has an event loop: started by it, their ends put where it finds them, and its bell rung.
//!
//! The host's thread owns a [`Fleet`]. Its bell ([`Shared::set_bell`](crate::Shared::set_bell)) is rung when a process has ended, whether it sleeps or not, and
//! when a worker process rings its doorbell.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::Signal;

use super::bell::{self, FarBell, Poll};
use super::door::Door;
use super::link::Link;
use super::order::Order;
use super::parcels::Parcels;
use super::relay::Relay;
use super::watcher::{Ended, StderrOf, Watcher, Way};
use crate::bells::Shared;
use crate::cell::{Cell, HostWords};
use crate::error::{Result, SchedError};
use crate::host::Host;

/// The worker processes of one host. Dropping it kills those that are left, and waits until they have ended.
pub struct Fleet {
    /// None while it is being dropped.
    watcher: Option<Watcher>,
    ended: Arc<Mutex<VecDeque<Ended>>>,
    /// Rings of workers come through it, unless the host's loop polls its descriptor.
    _relay: Relay,
    /// That descriptor.
    bell: Arc<OwnedFd>,
}

impl Fleet {
    /// For the host in this process that has this memory.
    ///
    /// # Errors
    /// The system has no thread or no descriptor left.
    pub fn new(shared: &Arc<Shared>) -> Result<Self> {
        let ended: Arc<Mutex<VecDeque<Ended>>> = Arc::default();
        let tell = {
            let (ended, shared) = (ended.clone(), shared.clone());
            move |end| {
                lock(&ended).push_back(end);
                // Awake or not: a pool without calls does not arm. It also stands for the ring of a worker that died before it rang.
                shared.ring_bell(None);
            }
        };
        Ok(Self {
            watcher: Some(Watcher::start(tell)?),
            ended,
            _relay: Relay::of_host(shared)?,
            bell: bell::descriptor()?,
        })
    }

    /// Starts a process for a place that was opened. Returns its id, which is that of a wrapper if there is one. `quiet`: what it prints goes nowhere.
    ///
    /// # Errors
    /// The command cannot be started, or the system has no descriptor left.
    pub(crate) fn spawn(
        &mut self,
        host: &Host,
        parcels: &mut Parcels,
        worker: usize,
        Order { command, prefix }: &mut Order,
        quiet: bool,
    ) -> Result<u32> {
        let stderr = if quiet {
            StderrOf::Remembered
        } else {
            StderrOf::Watched
        };
        let (descriptor, epoch) = (host.descriptor(worker)?, host.epoch(worker)?);
        let shared = host.shared();
        let far = FarBell {
            fd: bell::descriptor()?,
            sleeper: Cell::new(shared.layout(), shared.region(), worker)?.sleeper(),
        };
        let way = match prefix {
            None => {
                let (link, socket) = parcels.open(worker, command)?;
                host.set_socket(worker, socket)?;
                self.pass_bells(&link, &far.fd);
                Way::Inherits(descriptor, Some(link))
            }
            Some(prefix) => {
                let door = Door::new(prefix, descriptor, command)?;
                let link = parcels.open_to_come(worker);
                self.pass_bells(&link, &far.fd);
                Way::Connects(door, link)
            }
        };
        shared.set_bell(Some(worker), Some(Arc::new(far)))?;
        let watcher = self.watcher.as_mut().expect("it is not being dropped");
        watcher.spawn(command, way, stderr, worker, epoch)
    }

    /// The watcher sees to what does not fit into the socket.
    fn pass_bells(&self, link: &Link, worker: &Arc<OwnedFd>) {
        link.pass_descriptor(bell::HOST, &self.bell);
        link.pass_descriptor(bell::WORKER, worker);
    }

    /// What the host's event loop may poll.
    ///
    /// # Errors
    /// The memory is damaged.
    pub fn poll(&self, shared: &Shared) -> Result<Poll> {
        Ok(Poll::new(
            self.bell.clone(),
            HostWords::new(shared.region())?.sleeper(),
        ))
    }

    /// Sees to what could not be sent at once.
    pub(crate) fn nudge(&self) {
        if let Some(watcher) = &self.watcher {
            watcher.nudge();
        }
    }

    /// The next process that has ended, if there is one.
    pub fn take_ended(&mut self) -> Option<Ended> {
        lock(&self.ended).pop_front()
    }

    /// Sends a signal to the process in a place, and to what it has started in its group. Nothing if it has ended.
    ///
    /// # Errors
    /// There is no such signal.
    pub fn signal(&self, worker: usize, signal: i32) -> Result<()> {
        let signal = Signal::from_named_raw(signal).ok_or(SchedError::BadSignal(signal))?;
        if let Some(watcher) = &self.watcher {
            watcher.signal(Some(worker), signal);
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.signal(None, Signal::KILL);
            watcher.finish();
        }
    }
}

fn lock(ended: &Mutex<VecDeque<Ended>>) -> std::sync::MutexGuard<'_, VecDeque<Ended>> {
    ended.lock().unwrap_or_else(PoisonError::into_inner)
}
