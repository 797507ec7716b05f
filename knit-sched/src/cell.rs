//! The words that a worker and the host share about each other.
//!
//! A worker's cell has four lines, each written mostly by one side, so that a spinning reader does not slow a writer down:
//!
//! ```text
//! line 0   life u32 (epoch << 8 | state) | stop u32 | pid u32 | socket 2 x u32 | polls u32   host and worker, rarely
//! line 1   doorbell                                             the worker arms it, who has news takes it
//! line 2   activity u32 | wants_room u32 | watches u32          the worker says what it does
//! line 3   what it counts                                       the worker writes it, see `counters.rs`
//! ```
//!
//! # Life of a place
//!
//! `Empty -> Starting` (host, new epoch) `-> Attaching -> Ready` (worker) `-> Dead` (host, after the worker has really ended) `-> Starting ...`.
//! Only the host starts and ends an epoch; only a worker of that epoch takes the place, by a compare-exchange from exactly
//! (epoch, `Starting`), so one that comes too late finds its place gone. While `Attaching` it makes its reply ring and its arena, which
//! nobody looks at before it is `Ready`.

use core::sync::atomic::{AtomicU32, Ordering};

use knit_ring::Doorbell;
#[cfg(target_os = "linux")]
use knit_shm::pass::Heirloom;
use knit_shm::{Area, Region};

use crate::counters::Counters;
use crate::error::{Result, SchedError};
use crate::layout::{HOST_BELL, HOST_WORDS, LINE, Layout};

/// Where a worker's place stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// Never used.
    Empty = 0,
    /// The host has asked for a worker, which has not attached yet.
    Starting = 1,
    /// A worker has taken the place and makes its rings.
    Attaching = 2,
    /// A worker serves this place.
    Ready = 3,
    /// The worker has ended, and what it had taken is settled.
    Dead = 4,
}

impl State {
    fn from_word(word: u32) -> Self {
        match word & 0xFF {
            1 => Self::Starting,
            2 => Self::Attaching,
            3 => Self::Ready,
            4 => Self::Dead,
            // A damaged word reads as a place that nobody serves.
            _ => Self::Empty,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Starting => "meant for another worker",
            Self::Attaching | Self::Ready => "taken",
            Self::Dead => "dead",
        }
    }
}

/// What a living worker does at the moment: a hint for whom to wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Activity {
    /// It runs tasks, or sleeps (then its doorbell is armed).
    Running = 0,
    /// It spins, looking for work in every lane it may take from.
    Searching = 1,
}

const LIFE: usize = 0;
const STOP: usize = 4;
const PID: usize = 8;
const SOCKET: usize = 12;
#[cfg(target_os = "linux")]
const INODE: usize = 16;
#[cfg(target_os = "linux")]
const POLLS: usize = 20;
const EPOCH_SHIFT: u32 = 8;

fn life(epoch: u32, state: State) -> u32 {
    epoch << EPOCH_SHIFT | state as u32
}

const BELL: usize = LINE;
const ACTIVITY: usize = 2 * LINE;
const WANTS_ROOM: usize = 2 * LINE + 4;
const WATCHES: usize = 2 * LINE + 8;
const COUNTERS: usize = 3 * LINE;

/// Access to one worker's cell. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cell {
    area: Area,
    worker: usize,
    bell: Doorbell,
}

impl Cell {
    pub(crate) fn new(layout: &Layout, region: &Region, worker: usize) -> Result<Self> {
        let area = layout.cell(region, worker)?;
        let bell = Doorbell::attach(area.area(BELL, LINE)?)?;
        Ok(Self { area, worker, bell })
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        self.area
            .atomic_u32(offset)
            .expect("a cell's words lie inside it")
    }

    pub(crate) fn bell(&self) -> &Doorbell {
        &self.bell
    }

    pub(crate) fn counters(&self) -> Result<Counters> {
        Ok(Counters::new(self.area.area(COUNTERS, LINE)?))
    }

    pub(crate) fn state(&self) -> State {
        // Acquire: pairs with the worker's store in `ready`.
        State::from_word(self.word(LIFE).load(Ordering::Acquire))
    }

    /// The epoch of the place, in 24 bits.
    pub(crate) fn epoch(&self) -> u32 {
        self.word(LIFE).load(Ordering::Relaxed) >> EPOCH_SHIFT
    }

    /// Host: opens the place for a new worker and returns its epoch.
    pub(crate) fn begin(&self) -> u32 {
        let epoch = self.epoch().wrapping_add(1) & (u32::MAX >> EPOCH_SHIFT);
        self.word(STOP).store(0, Ordering::Relaxed);
        self.word(PID).store(0, Ordering::Relaxed);
        self.word(SOCKET).store(0, Ordering::Relaxed);
        #[cfg(target_os = "linux")]
        self.sleeper().set_polls(false);
        self.set_activity(Activity::Running);
        self.set_wants_room(false);
        self.set_watches(false);
        self.bell.disarm();
        // Release: pairs with the acquire in `attach`; the worker sees fresh words and rings.
        self.word(LIFE)
            .store(life(epoch, State::Starting), Ordering::Release);
        epoch
    }

    /// Host: says by what the process that it is about to start finds its socket for shared memory.
    #[cfg(target_os = "linux")]
    pub(crate) fn set_socket(&self, socket: Heirloom) {
        // Relaxed: the process is started afterwards.
        self.word(SOCKET).store(socket.number, Ordering::Relaxed);
        self.word(INODE).store(socket.inode, Ordering::Relaxed);
    }

    /// Worker process: that, if there is one.
    #[cfg(target_os = "linux")]
    pub(crate) fn socket(&self) -> Option<Heirloom> {
        let number = self.word(SOCKET).load(Ordering::Relaxed);
        let inode = self.word(INODE).load(Ordering::Relaxed);
        (number != 0).then_some(Heirloom { number, inode })
    }

    /// This worker, as others ring it.
    #[cfg(target_os = "linux")]
    pub(crate) fn sleeper(&self) -> Sleeper {
        Sleeper {
            line: self.area.clone(),
            polls: POLLS,
            bell: self.bell.clone(),
        }
    }

    /// Worker that was told its place and nothing else: the epoch for which the place is open.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_epoch(&self) -> Result<u32> {
        match self.state() {
            State::Starting => Ok(self.epoch()),
            other => Err(SchedError::NotStarting(self.worker, other.name())),
        }
    }

    /// Worker: takes the place for the epoch that it was started for. What it makes there becomes visible with [`Cell::ready`].
    pub(crate) fn attach(&self, epoch: u32) -> Result<()> {
        self.word(LIFE)
            .compare_exchange(
                life(epoch, State::Starting),
                life(epoch, State::Attaching),
                // Acquire: pairs with `begin`.
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .map_err(|word| SchedError::NotStarting(self.worker, State::from_word(word).name()))?;
        self.word(PID).store(std::process::id(), Ordering::Relaxed);
        Ok(())
    }

    /// Worker: everything in its place is made.
    pub(crate) fn ready(&self) {
        // Release: pairs with the host's acquire in `state`, before it attaches to the reply ring.
        self.word(LIFE)
            .store(life(self.epoch(), State::Ready), Ordering::Release);
    }

    /// Host: closes the epoch. Nobody counts on the dead one any more.
    pub(crate) fn end(&self) {
        self.set_activity(Activity::Running);
        self.set_wants_room(false);
        self.set_watches(false);
        self.word(LIFE)
            .store(life(self.epoch(), State::Dead), Ordering::Relaxed);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.word(PID).load(Ordering::Relaxed)
    }

    /// Asks the worker to end. It must be woken as well.
    pub(crate) fn ask_to_stop(&self) {
        self.word(STOP).store(1, Ordering::Relaxed);
    }

    pub(crate) fn asked_to_stop(&self) -> bool {
        self.word(STOP).load(Ordering::Relaxed) != 0
    }

    /// Worker: whether the place is its own no longer, because the host took it for dead. (Its process may have been started by another
    /// that has ended.)
    pub(crate) fn is_lost(&self, epoch: u32) -> bool {
        self.word(LIFE).load(Ordering::Relaxed) != life(epoch, State::Ready)
    }

    pub(crate) fn set_activity(&self, activity: Activity) {
        self.word(ACTIVITY)
            .store(activity as u32, Ordering::Relaxed);
    }

    pub(crate) fn is_searching(&self) -> bool {
        self.word(ACTIVITY).load(Ordering::Relaxed) == Activity::Searching as u32
    }

    /// Worker: says that replies wait in its own memory for room in the reply ring.
    pub(crate) fn set_wants_room(&self, wants: bool) {
        self.word(WANTS_ROOM)
            .store(u32::from(wants), Ordering::Relaxed);
    }

    pub(crate) fn wants_room(&self) -> bool {
        self.word(WANTS_ROOM).load(Ordering::Relaxed) != 0
    }

    /// Worker: says whether it must be woken for aborts.
    pub(crate) fn set_watches(&self, watches: bool) {
        self.word(WATCHES)
            .store(u32::from(watches), Ordering::Relaxed);
    }

    pub(crate) fn watches(&self) -> bool {
        self.word(WATCHES).load(Ordering::Relaxed) != 0
    }
}

/// Who is rung from other processes: its doorbell, and its word that says whether its event loop polls a descriptor instead.
#[cfg(target_os = "linux")]
pub(crate) struct Sleeper {
    line: Area,
    polls: usize,
    bell: Doorbell,
}

#[cfg(target_os = "linux")]
impl Sleeper {
    fn word(&self) -> &AtomicU32 {
        self.line
            .atomic_u32(self.polls)
            .expect("the line holds the word")
    }

    /// The sleeper: says whether it polls.
    pub(crate) fn set_polls(&self, polls: bool) {
        // Release: the loop polls before. Who still reads the former word rings the doorbell, which is heard as well.
        self.word().store(u32::from(polls), Ordering::Release);
    }

    pub(crate) fn polls(&self) -> bool {
        self.word().load(Ordering::Acquire) != 0
    }

    pub(crate) fn bell(&self) -> &Doorbell {
        &self.bell
    }
}

const BACKLOG: usize = 0;
const STEAL: usize = 4;
const ABORTS: usize = 8;
const ALONE: usize = 12;
#[cfg(target_os = "linux")]
const HOST_POLLS: usize = 16;
#[cfg(target_os = "linux")]
const BOOT_LOW: usize = 64;
#[cfg(target_os = "linux")]
const BOOT_HIGH: usize = 68;
#[cfg(target_os = "linux")]
const BOOT_BYTES: usize = 72;

/// What the host announces to all workers, and its doorbell.
#[derive(Clone)]
pub(crate) struct HostWords {
    line: Area,
    bell: Doorbell,
}

impl HostWords {
    pub(crate) fn new(region: &Region) -> Result<Self> {
        Ok(Self {
            line: region.area(HOST_WORDS, LINE)?,
            bell: Doorbell::attach(region.area(HOST_BELL, LINE)?)?,
        })
    }

    pub(crate) fn bell(&self) -> &Doorbell {
        &self.bell
    }

    fn backlog(&self) -> &AtomicU32 {
        self.line
            .atomic_u32(BACKLOG)
            .expect("the line holds the word")
    }

    /// Host: says whether calls wait in its own memory for room in a request ring.
    pub(crate) fn set_backlog(&self, waits: bool) {
        self.backlog().store(u32::from(waits), Ordering::Relaxed);
    }

    pub(crate) fn has_backlog(&self) -> bool {
        self.backlog().load(Ordering::Relaxed) != 0
    }

    fn abort_count(&self) -> &AtomicU32 {
        self.line
            .atomic_u32(ABORTS)
            .expect("the line holds the word")
    }

    /// Host: one more abort was made. Its word was written before.
    pub(crate) fn count_abort(&self) {
        // Release: pairs with the acquire in `aborts`. Only the host writes it.
        let aborts = self.abort_count().load(Ordering::Relaxed);
        self.abort_count()
            .store(aborts.wrapping_add(1), Ordering::Release);
    }

    /// How many aborts there were, wrapping.
    pub(crate) fn aborts(&self) -> u32 {
        // Acquire: pairs with the release in `count_abort`, so that whoever sees a new count finds the abort.
        self.abort_count().load(Ordering::Acquire)
    }

    #[cfg(target_os = "linux")]
    fn boot_word(&self, offset: usize) -> &AtomicU32 {
        self.line
            .atomic_u32(offset)
            .expect("the line holds the word")
    }

    /// Host, before any place is open: the block that tells workers what they must know.
    #[cfg(target_os = "linux")]
    pub(crate) fn set_boot(&self, locator: u64, bytes: u32) {
        let words = [
            (BOOT_LOW, locator as u32),
            (BOOT_HIGH, (locator >> 32) as u32),
            (BOOT_BYTES, bytes),
        ];
        for (offset, word) in words {
            self.boot_word(offset).store(word, Ordering::Relaxed);
        }
    }

    /// Locator and length of that block; 0 bytes if there is none.
    #[cfg(target_os = "linux")]
    pub(crate) fn boot(&self) -> (u64, u32) {
        // Relaxed: as in `steals`.
        let word = |offset| self.boot_word(offset).load(Ordering::Relaxed);
        let locator = u64::from(word(BOOT_HIGH)) << 32 | u64::from(word(BOOT_LOW));
        (locator, word(BOOT_BYTES))
    }

    /// The host, as worker processes ring it.
    #[cfg(target_os = "linux")]
    pub(crate) fn sleeper(&self) -> Sleeper {
        Sleeper {
            line: self.line.clone(),
            polls: HOST_POLLS,
            bell: self.bell.clone(),
        }
    }

    fn alone(&self) -> &AtomicU32 {
        self.line
            .atomic_u32(ALONE)
            .expect("the line holds the word")
    }

    /// Host, before any place is open: whether workers claim one call at a time.
    pub(crate) fn set_alone(&self, alone: bool) {
        self.alone().store(u32::from(alone), Ordering::Relaxed);
    }

    pub(crate) fn claims_alone(&self) -> bool {
        // Relaxed: written before the place of whoever reads it was opened, which is an acquire away.
        self.alone().load(Ordering::Relaxed) != 0
    }

    fn steal(&self) -> &AtomicU32 {
        self.line
            .atomic_u32(STEAL)
            .expect("the line holds the word")
    }

    /// Host, before any place is open: whether idle workers take calls queued for busy ones.
    pub(crate) fn set_steal(&self, steal: bool) {
        self.steal().store(u32::from(steal), Ordering::Relaxed);
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn steals(&self) -> bool {
        // Relaxed: written before the place of whoever reads it was opened, which is an acquire away.
        self.steal().load(Ordering::Relaxed) != 0
    }
}
