//! The workers of a pool: starting them, and learning of their end. One kind runs in threads, the other in processes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::call::Exit;
use super::mailbox::{Ended, Mailbox};
use crate::error::{Result, SchedError};
use crate::host::Host;
use crate::serve::{Functions, serve, text_of};
use crate::worker::Worker;

/// How to start workers.
pub(super) enum Kind {
    Threads(Functions),
    #[cfg(target_os = "linux")]
    Processes(std::process::Command),
}

pub(super) struct Crew {
    kind: Kind,
    mailbox: Arc<Mailbox>,
    steal: bool,
    threads: Vec<JoinHandle<()>>,
    #[cfg(target_os = "linux")]
    watcher: Option<crate::process::watcher::Watcher>,
}

impl Crew {
    pub(super) fn new(kind: Kind, mailbox: Arc<Mailbox>, steal: bool) -> Result<Self> {
        Ok(Self {
            #[cfg(target_os = "linux")]
            watcher: match kind {
                Kind::Threads(_) => None,
                Kind::Processes(_) => {
                    let mailbox = mailbox.clone();
                    let tell = move |ended: crate::process::Ended| {
                        mailbox.ended(Ended {
                            worker: ended.worker,
                            epoch: ended.epoch,
                            exit: Exit::Process(ended.status),
                        });
                    };
                    Some(crate::process::watcher::Watcher::start(tell)?)
                }
            },
            kind,
            mailbox,
            steal,
            threads: Vec::new(),
        })
    }

    /// Starts a worker in a place that was opened with this epoch. Returns its process, if it is one. Its end is reported to the mailbox.
    pub(super) fn start(&mut self, host: &Host, worker: usize, epoch: u32) -> Result<Option<u32>> {
        match &mut self.kind {
            Kind::Threads(functions) => {
                let (functions, mailbox, steal) =
                    (functions.clone(), self.mailbox.clone(), self.steal);
                let shared = host.shared().clone();
                let run = move || {
                    let attached = Worker::attach(shared, worker, epoch, steal);
                    attached.and_then(|worker| serve(worker, &functions))
                };
                let thread = Builder::new()
                    .name(format!("knit-worker-{worker}"))
                    .spawn(move || {
                        let error = match catch_unwind(AssertUnwindSafe(run)) {
                            Ok(Ok(())) => None,
                            Ok(Err(error)) => Some(error.to_string()),
                            Err(panic) => Some(text_of(&*panic).to_owned()),
                        };
                        let exit = Exit::Thread(error);
                        mailbox.ended(Ended {
                            worker,
                            epoch,
                            exit,
                        });
                    })
                    .map_err(|source| SchedError::Io {
                        what: "starting a worker thread",
                        source,
                    })?;
                self.threads.retain(|thread| !thread.is_finished());
                self.threads.push(thread);
                Ok(None)
            }
            #[cfg(target_os = "linux")]
            Kind::Processes(command) => {
                let watcher = self.watcher.as_mut().expect("made with the crew");
                let stderr = crate::process::watcher::StderrOf::Command;
                let way = crate::process::watcher::Way::Inherits(host.descriptor(worker)?, None);
                let pid = watcher.spawn(command, way, stderr, worker, epoch)?;
                Ok(Some(pid))
            }
        }
    }

    /// Ends a process or all of them at once, whatever they do. Threads cannot be ended: they end after what they run.
    pub(super) fn kill(&mut self, worker: Option<usize>) {
        #[cfg(target_os = "linux")]
        if let Some(watcher) = &self.watcher {
            watcher.signal(worker, rustix::process::Signal::KILL);
        }
    }

    /// Waits for the threads, when all workers have been reported as ended.
    pub(super) fn finish(self) {
        for thread in self.threads {
            // A panic was reported as the worker's end.
            let _ = thread.join();
        }
        #[cfg(target_os = "linux")]
        if let Some(watcher) = self.watcher {
            watcher.finish();
        }
    }
}
