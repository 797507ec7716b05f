//! How a sleeper is reached: by its runtime's own bell if it has one in this process, else by the futex under its doorbell.
//!
//! The doorbell in shared memory says *whether* somebody sleeps; this says *how* to wake it. A worker thread of a JavaScript runtime
//! sleeps in its event loop, which only its runtime can wake; a native worker sleeps on the futex.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};

use knit_shm::Region;

use crate::cell::{Cell, HostWords};
use crate::error::Result;
use crate::layout::Layout;
use crate::wake::Crew;

/// Something that wakes one sleeper's event loop. Called from any thread, at most once for each time the sleeper armed its doorbell.
pub trait Bell: Send + Sync {
    /// Wakes the sleeper. Must not block.
    fn ring(&self);
}

/// A pool's memory and the bells of its participants: what the host and the worker threads of one process share.
pub struct Shared {
    region: Region,
    layout: Layout,
    host: Place,
    workers: Box<[Place]>,
    /// A [`HostWaker`] has called since the host last armed.
    called: AtomicBool,
}

/// Pools of this process that worker threads may attach to, by token.
static POOLS: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Pools {
    next: u32,
    by_token: HashMap<u32, Weak<Shared>>,
}

type Place = RwLock<Option<Arc<dyn Bell>>>;

impl Shared {
    pub(crate) fn new(region: Region, layout: Layout) -> Arc<Self> {
        let workers = (0..layout.workers()).map(|_| RwLock::new(None)).collect();
        Arc::new(Self {
            region,
            layout,
            host: RwLock::new(None),
            workers,
            called: AtomicBool::new(false),
        })
    }

    /// Attaches to a pool that another process made.
    ///
    /// # Errors
    /// The region does not hold a pool that this version can use.
    pub fn attach(region: Region) -> Result<Arc<Self>> {
        let layout = Layout::attach(&region)?;
        Ok(Self::new(region, layout))
    }

    /// A number by which other threads of this process find this pool for as long as it lives.
    #[must_use]
    pub fn token(self: &Arc<Self>) -> u32 {
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.by_token.retain(|_, pool| pool.strong_count() > 0);
        while pools.by_token.contains_key(&pools.next) {
            pools.next = pools.next.wrapping_add(1);
        }
        let token = pools.next;
        pools.next = pools.next.wrapping_add(1);
        pools.by_token.insert(token, Arc::downgrade(self));
        token
    }

    /// The pool with that token, unless it is gone.
    #[must_use]
    pub fn by_token(token: u32) -> Option<Arc<Self>> {
        POOLS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_token
            .get(&token)?
            .upgrade()
    }

    /// The pool's memory.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Where everything lies in it.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Sets or removes the runtime's bell of a worker (`Some`) or of the host (`None`).
    ///
    /// # Errors
    /// There is no such worker.
    pub fn set_bell(&self, participant: Option<usize>, bell: Option<Arc<dyn Bell>>) -> Result<()> {
        let place = match participant {
            None => &self.host,
            Some(worker) => self
                .workers
                .get(worker)
                .ok_or(crate::SchedError::NoSuchWorker(worker))?,
        };
        *place.write().unwrap_or_else(PoisonError::into_inner) = bell;
        Ok(())
    }

    /// Rings a runtime's bell, if there is one here, whatever the doorbell says.
    #[cfg(target_os = "linux")]
    pub(crate) fn ring_bell(&self, participant: Option<usize>) {
        ring(match participant {
            None => &self.host,
            Some(worker) => &self.workers[worker],
        });
    }

    /// Wakes the host if it sleeps, and tells whether it did. What it shall find must be published before, and a `SeqCst` fence lie between.
    pub(crate) fn wake_host(&self, words: &HostWords) -> bool {
        let asleep = words.bell().take_armed();
        if asleep && !ring(&self.host) {
            words.bell().ring();
        }
        asleep
    }

    /// Wakes a worker if it sleeps, and tells whether it did. The same duties as for [`Shared::wake_host`].
    pub(crate) fn wake_worker(&self, worker: usize, cell: &Cell) -> bool {
        let asleep = cell.bell().take_armed();
        if asleep && !ring(&self.workers[worker]) {
            cell.bell().ring();
        }
        asleep
    }

    /// Wakes a worker even if a peer has taken its doorbell: that peer may have died before it rang.
    pub(crate) fn rouse_worker(&self, worker: usize, cell: &Cell) {
        if !self.wake_worker(worker, cell) {
            cell.bell().ring();
        }
    }

    pub(crate) fn is_called(&self) -> bool {
        // Relaxed: a hint to stop spinning.
        self.called.load(Ordering::Relaxed)
    }

    /// Host, armed: whether somebody called. The SeqCst fence in `arm` pairs with the one in [`HostWaker::wake`].
    pub(crate) fn take_called(&self) -> bool {
        self.is_called() && self.called.swap(false, Ordering::Relaxed)
    }
}

/// Wakes a host that sleeps in [`Host::wait`](crate::Host::wait), from any thread of its process: for news that do not come through the
/// pool's memory. Put the news where the host looks, then wake it; the host looks there after each wait.
#[derive(Clone)]
pub struct HostWaker {
    shared: Arc<Shared>,
    words: HostWords,
}

impl HostWaker {
    pub(crate) fn new(shared: Arc<Shared>, words: HostWords) -> Self {
        Self { shared, words }
    }

    /// Wakes the host if it sleeps, and keeps it from falling asleep next time. Cheap if it is awake.
    pub fn wake(&self) {
        // Relaxed: `take_armed`, in `wake_host`, starts with the SeqCst fence that orders it before the look at the doorbell.
        self.shared.called.store(true, Ordering::Relaxed);
        self.shared.wake_host(&self.words);
    }

    /// The same for news of a worker's death: the dead one may have taken the host's doorbell and died before it rang.
    pub fn wake_for_a_death(&self) {
        self.wake();
        self.words.bell().ring();
    }
}

/// The workers of some lanes, to be woken.
pub(crate) struct Lanes<'a, L> {
    shared: &'a Shared,
    lanes: &'a [L],
}

impl<'a, L: AsRef<Cell>> Lanes<'a, L> {
    pub(crate) fn new(shared: &'a Shared, lanes: &'a [L]) -> Self {
        Self { shared, lanes }
    }
}

impl<L: AsRef<Cell>> Crew for Lanes<'_, L> {
    fn count(&self) -> usize {
        self.lanes.len()
    }

    fn is_searching(&self, worker: usize) -> bool {
        self.lanes[worker].as_ref().is_searching()
    }

    fn is_watching(&self, worker: usize) -> bool {
        self.lanes[worker].as_ref().watches()
    }

    fn wake(&self, worker: usize) -> bool {
        self.shared.wake_worker(worker, self.lanes[worker].as_ref())
    }
}

fn ring(place: &Place) -> bool {
    let bell = place.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(bell) = bell.as_ref() {
        bell.ring();
    }
    bell.is_some()
}
