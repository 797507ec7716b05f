//! What a worker process was given, wherever it is: on standard input, or at a name.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use knit_shm::Region;
use knit_shm::pass::{DescriptorSocket, bequeath, inherited};
use rustix::fs::tell;

use super::io;
use crate::bells::Shared;
use crate::cell::Cell;
use crate::error::{Result, SchedError};

/// With this begins the last argument of a process that is told a name.
pub(super) const WORD: &str = "--knit-worker=";
/// The number under which the pool's memory is passed: none of a message's.
pub(super) const MEMORY: u32 = 0;

/// The name that this process is told, if it is.
pub(super) fn name() -> Option<PathBuf> {
    let last = std::env::args_os().last()?;
    let path = last.as_bytes().strip_prefix(WORD.as_bytes())?;
    Some(Path::new(OsStr::from_bytes(path)).to_owned())
}

/// The pool, and the worker that this process is to be.
pub(super) fn find() -> Result<(Arc<Shared>, usize)> {
    let inherited = stdin().and_then(place);
    match (inherited, name()) {
        // Also if a name is told: an earlier program in this process has been there.
        (Ok(found), _) => Ok(found),
        (Err(_), Some(name)) => enter(&name),
        (Err(source), None) => Err(SchedError::NotInherited(Box::new(source))),
    }
}

/// Gets from a name what this process could not inherit, and puts it where it would be: the memory on standard input, the socket wherever the cell says.
fn enter(name: &Path) -> Result<(Arc<Shared>, usize)> {
    let socket = DescriptorSocket::connect(name).map_err(|source| SchedError::NoDoor {
        name: name.display().to_string(),
        source,
    })?;
    let (number, memory) = socket.receive(None)?;
    if number != MEMORY {
        return Err(SchedError::NotAPool(
            "what came at its name is something else",
        ));
    }
    rustix::stdio::dup2_stdin(&memory).map_err(io("dup2"))?;
    let (shared, worker) = place(memory)?;
    Cell::new(shared.layout(), shared.region(), worker)?.set_socket(bequeath(&socket)?);
    Ok((shared, worker))
}

/// For a program that stands between a host and its worker, and becomes the worker: leaves to that what it was given itself. Returns the descriptor that has to stay
/// open besides standard input, if there is one.
///
/// # Errors
/// The host is gone.
pub fn hand_on() -> Result<Option<RawFd>> {
    if name().is_none() && stdin().and_then(place).is_err() {
        // Nobody's worker.
        return Ok(None);
    }
    let (shared, worker) = find()?;
    let cell = Cell::new(shared.layout(), shared.region(), worker)?;
    let Some(heirloom) = cell.socket() else {
        return Ok(None);
    };
    let heirloom = match inherited(heirloom) {
        // Some runtimes mark what they inherit to be closed.
        Ok(socket) => bequeath(&socket)?,
        // A wrapper has closed it.
        Err(_) => return Ok(None),
    };
    cell.set_socket(heirloom);
    Ok(RawFd::try_from(heirloom.number).ok())
}

pub(super) fn stdin() -> Result<OwnedFd> {
    std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|source| SchedError::Io {
            what: "standard input",
            source,
        })
}

/// The pool behind the descriptor, and the worker at whose cell it stands.
pub(super) fn place(fd: OwnedFd) -> Result<(Arc<Shared>, usize)> {
    let shared = Shared::attach(Region::attach(fd)?)?;
    let at = shared
        .region()
        .fd()
        .ok_or(SchedError::NotAPool("it has no descriptor"))
        .and_then(|fd| tell(fd).map_err(io("lseek")))?;
    let worker = shared
        .layout()
        .worker_at(at)
        .ok_or(SchedError::NotAPool("its descriptor stands at no worker"))?;
    Ok((shared, worker))
}
