//! Everything that can go wrong in a pool, each with a stable code.

use knit_ring::RingError;
use knit_ring::heap::HeapError;
use knit_shm::ShmError;

/// An error of the pool's engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedError {
    /// A pool has 1 to [`crate::MAX_WORKERS`] workers.
    #[error("a pool has 1 to 1024 workers, not {0}")]
    WorkerCount(usize),
    /// A size in the configuration is outside what the layout can hold.
    #[error("{what} must be {expected}, not {actual}")]
    Config {
        /// The setting.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it was.
        actual: u64,
    },
    /// The region is not a pool's, or one of another version.
    #[error("this memory does not hold a pool that this version can use: {0}")]
    NotAPool(&'static str),
    /// There is no worker with that number.
    #[error("the pool has no worker {0}")]
    NoSuchWorker(usize),
    /// The worker's place is taken, or it was not prepared for an epoch.
    #[error("worker {0} cannot attach: its place is {1}")]
    NotStarting(usize, &'static str),
    /// A frame in a submission buffer does not lie inside it.
    #[error("the submission buffer holds a damaged frame at byte {0}")]
    BadSubmission(usize),
    /// A payload that no block of the heap can hold.
    #[error(
        "a payload of {bytes} bytes is longer than {limit} bytes, the most that this pool's memory can hold at once"
    )]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most there can be.
        limit: usize,
    },
    /// A worker was started by a host that is gone.
    #[error("the host of this pool has ended")]
    HostGone,
    /// A worker that was told nothing, and has not inherited what it needs.
    #[error(
        "standard input is not what a pool's host gives to its worker ({0}): has a wrapper closed or replaced it? \
         worker.processSharedMemory: \"named\" is for such wrappers"
    )]
    NotInherited(#[source] Box<SchedError>),
    /// A worker that was told a name, and found nothing there.
    #[error(
        "cannot get the pool's memory at {name}: {source} (the host has ended, or what has started this process shows another /dev/shm)"
    )]
    NoDoor {
        /// The name.
        name: String,
        /// What the system says.
        source: ShmError,
    },
    /// A frame names a block that is not what it says.
    #[error("a frame names a block in a way that nobody writes")]
    BadBlock,
    /// A call is shorter than its flags say it is.
    #[error("a call that can be aborted does not name its abort slot")]
    BadCall,
    /// Worker processes need a system that opens anonymous memory a second time.
    #[error("workers can be processes on Linux only: use threads on this system")]
    NoProcesses,
    /// A description of a command that describes none.
    #[error("this is not the description of a command")]
    BadOrder,
    /// There is no signal with that number.
    #[error("there is no signal {0}")]
    BadSignal(i32),
    /// A worker process could not be started.
    #[error("cannot start {program:?}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A handle of shared memory that this thread does not have.
    #[error("there is no shared memory {0} on this thread: it was closed, or never made here")]
    NoSharedMemory(u32),
    /// A watch over threads that is gone.
    #[error("there is no watch {0}: its thread has ended, or it was never made")]
    NoWatch(u32),
    /// The file system of named memory has no room left.
    #[error("there is no room for {bytes} bytes of named memory: {source}")]
    SharedMemoryFull {
        /// How many bytes.
        bytes: usize,
        /// What the system says.
        source: ShmError,
    },
    /// There is no way for shared memory between this process and the other.
    #[error(
        "shared memory without a name cannot cross here: what has started the worker process closes descriptors \
         (worker.processSharedMemory: \"named\" is for that), or the process is none of a pool's"
    )]
    NoLink,
    /// From the rings.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// From the block heap.
    #[error(transparent)]
    Heap(#[from] HeapError),
    /// From the mapped memory.
    #[error(transparent)]
    Shm(#[from] ShmError),
    /// From the operating system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl SchedError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WorkerCount(_) => "KNT_WORKER_COUNT",
            Self::Config { .. } => "KNT_CONFIG",
            Self::NotAPool(_) => "KNT_NOT_A_POOL",
            Self::NoSuchWorker(_) => "KNT_NO_SUCH_WORKER",
            Self::NotStarting(..) => "KNT_NOT_STARTING",
            Self::BadSubmission(_) => "KNT_BAD_SUBMISSION",
            Self::TooLong { .. } => "KNT_TOO_LONG",
            Self::HostGone => "KNT_HOST_GONE",
            Self::NotInherited(_) => "KNT_NOT_INHERITED",
            Self::NoDoor { .. } => "KNT_NO_DOOR",
            Self::BadBlock => "KNT_BAD_BLOCK",
            Self::BadCall => "KNT_BAD_CALL",
            Self::NoProcesses => "KNT_NO_PROCESSES",
            Self::BadOrder => "KNT_BAD_ORDER",
            Self::BadSignal(_) => "KNT_BAD_SIGNAL",
            Self::Spawn { .. } => "KNT_SPAWN",
            Self::NoSharedMemory(_) | Self::NoWatch(_) => "KNT_CLOSED",
            Self::SharedMemoryFull { .. } => "SHM_FULL",
            Self::NoLink => "KNT_NO_LINK",
            Self::Ring(error) => error.code(),
            Self::Heap(error) => error.code(),
            Self::Shm(error) => error.code(),
            Self::Io { .. } => "KNT_IO",
        }
    }
}

/// Shorthand for this crate's results.
pub type Result<T, E = SchedError> = std::result::Result<T, E>;
