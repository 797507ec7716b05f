//! Whom to wake for new calls, if idle workers may take calls from every lane.
//!
//! It guarantees: while a published call is unclaimed, some worker looks for it, is about to look before it sleeps, or has been woken.
//! It wakes no more than there are calls for. It does not guarantee that *the* worker counted on takes the call, nor anything after a
//! worker has died or was asked to end in between: then whoever learns of it wakes everybody once (`Host::retire`).
//!
//! # Protocol
//!
//! A worker is *searching* (spins over all lanes), *armed* (asleep, or looking for the last time before that), or *running*.
//!
//! Host, [`for_new_calls`]: 1. publish; 2. fence; 3. count the searching, wake armed ones for the calls beyond that number, but no more than it
//! may: a worker woken while every core has somebody to run stands in line behind a task, for milliseconds, though the host is about to free its core.
//! Those that are woken wake the others.
//!
//! Worker that found a call after it had searched or slept, [`pass_on`]: 1. stop searching; 2. fence; 3. nobody else searches and there is more to
//! take: wake one armed peer, which will do the same. Several calls may have counted on one searcher: this is how the others are found.
//!
//! Worker that found nothing: 1. stop searching; 2. arm (contains a fence); 3. look at all lanes once more; 4. sleep.
//!
//! Why nothing is lost: take the last fence among those of the host and of the workers that were searching at its count. If the host's is first,
//! each of these workers sees the published calls when it looks afterwards, in `pass_on` or before it sleeps. If a worker's is first, the
//! host does not count it. `tests/wake_model.rs` runs these functions in a model.

use crate::sync::{Ordering, fence};

/// The workers as one who has news for them sees them.
pub(crate) trait Crew {
    /// How many there are.
    fn count(&self) -> usize;
    /// Whether a worker says that it searches.
    fn is_searching(&self, worker: usize) -> bool;
    /// Whether a worker has tasks that must hear of an abort at once.
    fn is_watching(&self, worker: usize) -> bool;
    /// Wakes a worker if it is armed; tells whether it was, and nobody else has taken it upon himself.
    fn wake(&self, worker: usize) -> bool;
}

/// Host: wakes as many workers as `calls` calls, just published, need beside the searching ones, but `most` (one or more) at most. First those
/// that are `near`.
pub(crate) fn for_new_calls(
    crew: &impl Crew,
    calls: usize,
    most: usize,
    near: impl Fn(usize) -> bool,
) {
    // SeqCst fence: between the publications and the count. Pairs with the fence in `pass_on` and the one in a worker's `arm`.
    fence(Ordering::SeqCst);
    let searching = (0..crew.count())
        .filter(|worker| crew.is_searching(*worker))
        .count();
    let mut wanted = calls.saturating_sub(searching).min(most);
    for own in [true, false] {
        for worker in (0..crew.count()).filter(|worker| near(*worker) == own) {
            if wanted == 0 {
                return;
            }
            wanted -= usize::from(crew.wake(worker));
        }
    }
}

/// Host: wakes every worker that must hear of the abort just made and counted.
pub(crate) fn for_abort(crew: &impl Crew) {
    // SeqCst fence: between the count and the look at who watches. Pairs with the fence in a worker's `arm`: it says that it watches before, and
    // looks at the count after.
    fence(Ordering::SeqCst);
    for worker in (0..crew.count()).filter(|worker| crew.is_watching(*worker)) {
        crew.wake(worker);
    }
}

/// Worker `own`, which searches no longer: wakes a peer if there is `more` to take and nobody searches. Tells whether it woke one.
pub(crate) fn pass_on<E>(
    crew: &impl Crew,
    own: usize,
    more: impl FnOnce() -> Result<bool, E>,
) -> Result<bool, E> {
    // SeqCst fence: between the end of the search and the look for more. Pairs with the fence in `for_new_calls`.
    fence(Ordering::SeqCst);
    let others = || (0..crew.count()).filter(|worker| *worker != own);
    Ok(!others().any(|worker| crew.is_searching(worker))
        && more()?
        && others().any(|worker| crew.wake(worker)))
}
