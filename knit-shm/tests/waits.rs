//! What waits and wakes promise, between threads. `processes` has what they promise between processes.
//!
//! No test here depends on how fast anything is. Where one needs sleepers, it moves them from the word on which they fall
//! asleep to another one: the kernel says how many it has moved, and those are asleep.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use knit_shm::Region;
use knit_shm::wait::{Outcome, local, shared};

/// No promise about time: only so that a broken wake fails a test instead of hanging it.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_word_that_differs_ends_the_wait_at_once() {
    let word = AtomicU32::new(3);
    assert_eq!(shared::wait(&word, 4, None), Ok(Outcome::Changed));
    assert_eq!(shared::wait(&word, 4, Some(LONG)), Ok(Outcome::Changed));
    local::wait(&word, 4);
}

#[test]
fn a_wait_lasts_as_long_as_its_timeout() {
    let word = AtomicU32::new(0);
    for timeout in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(30),
    ] {
        let start = Instant::now();
        assert_eq!(shared::wait(&word, 0, Some(timeout)), Ok(Outcome::TimedOut));
        assert!(start.elapsed() >= timeout);
    }
}

#[test]
fn waking_an_empty_word_wakes_nobody() {
    let word = AtomicU32::new(0);
    assert_eq!(shared::wake(&word, 1), 0);
    assert_eq!(shared::wake(&word, u32::MAX), 0);
    local::wake_one(&word);
    local::wake_all(&word);
}

#[test]
fn a_local_wait_sees_what_was_stored_before_the_wake() {
    let region = Region::heap(4096);
    let sleeper = region.clone();
    let slept = thread::spawn(move || {
        let word = sleeper.atomic_u32(0).unwrap();
        // Acquire, with the Release below.
        while word.load(Ordering::Acquire) == 0 {
            local::wait(word, 0);
        }
        sleeper.read::<u64>(64).unwrap()
    });
    region.write(64, &11_u64).unwrap();
    let word = region.atomic_u32(0).unwrap();
    word.store(1, Ordering::Release);
    local::wake_one(word);
    assert_eq!(slept.join().unwrap(), 11);
}

#[cfg(not(miri))]
mod of_mapped_memory {
    use super::*;

    #[test]
    fn no_wake_is_lost_over_many_turns() {
        const TURNS: u32 = 2000;
        let region = Region::anonymous(4096).unwrap();
        // A second mapping, so that both sides know the word by different addresses.
        let fd = region.fd().unwrap().try_clone_to_owned().unwrap();
        let other = Region::attach(fd).unwrap();
        assert_ne!(region.as_ptr(), other.as_ptr());
        let play = |region: Region, mine: u32| {
            let word = region.atomic_u32(128).unwrap();
            loop {
                // Acquire, with the other side's Release.
                let turn = word.load(Ordering::Acquire);
                if turn == TURNS {
                    break;
                }
                if turn % 2 == mine {
                    word.store(turn + 1, Ordering::Release);
                    shared::wake(word, 1);
                } else {
                    let outcome = shared::wait(word, turn, Some(LONG)).unwrap();
                    assert_ne!(outcome, Outcome::TimedOut, "in turn {turn}");
                }
            }
        };
        let first = thread::spawn(move || play(region, 0));
        play(other, 1);
        first.join().unwrap();
    }

    #[cfg(target_os = "linux")]
    mod among_known_sleepers {
        use super::*;
        use rustix::thread::futex::{self, Flags};
        use std::thread::JoinHandle;

        /// Where the threads fall asleep, and where they are moved to.
        const BED: usize = 0;
        const MOVED: usize = 128;

        /// `n` threads, each of which was asleep at `MOVED` at some moment before this returns.
        ///
        /// Nearly always all of them still are. But a thread that the scheduler wakes for another reason finds that it was
        /// not meant, and the kernel then lays it down at `BED` again (seen in 4 of 1000 runs). So the tests say what is
        /// true of those who are at `MOVED`, however many.
        fn sleepers(region: &Region, n: usize) -> Vec<JoinHandle<Outcome>> {
            let sleep = |region: Region| {
                move || shared::wait(region.atomic_u32(BED).unwrap(), 0, Some(LONG)).unwrap()
            };
            let threads = (0..n)
                .map(|_| thread::spawn(sleep(region.clone())))
                .collect();
            let bed = region.atomic_u32(BED).unwrap();
            let moved = region.atomic_u32(MOVED).unwrap();
            let mut asleep = 0;
            while asleep < n {
                asleep += futex::requeue(bed, Flags::empty(), 0, i32::MAX as u32, moved).unwrap();
                thread::yield_now();
            }
            threads
        }

        /// Ends those that went back to `BED`, and sees that every thread was woken, and none by its timeout.
        fn all_woken(region: &Region, threads: Vec<JoinHandle<Outcome>>) {
            while !threads.iter().all(JoinHandle::is_finished) {
                shared::wake(region.atomic_u32(BED).unwrap(), 1);
                thread::yield_now();
            }
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Outcome::Woken);
            }
        }

        #[test]
        fn as_many_are_woken_as_asked_for() {
            let region = Region::anonymous(4096).unwrap();
            let threads = sleepers(&region, 8);
            let word = region.atomic_u32(MOVED).unwrap();
            assert_eq!(shared::wake(word, 0), 0);
            assert_eq!(shared::wake(word, 1), 1);
            assert_eq!(shared::wake(word, 2), 2);
            let rest = shared::wake(word, 9);
            assert!((1..=5).contains(&rest), "{rest} of 5 at most");
            assert_eq!(shared::wake(word, 9), 0);
            all_woken(&region, threads);
        }

        #[test]
        fn any_large_number_wakes_all() {
            for n in [u32::MAX, 1 << 31, i32::MAX as u32] {
                let region = Region::anonymous(4096).unwrap();
                let threads = sleepers(&region, 4);
                let word = region.atomic_u32(MOVED).unwrap();
                assert!(shared::wake(word, n) > 0);
                assert_eq!(shared::wake(word, 1), 0, "somebody was left asleep");
                all_woken(&region, threads);
            }
        }

        #[test]
        fn a_local_wake_does_not_reach_shared_sleepers() {
            let region = Region::anonymous(4096).unwrap();
            let threads = sleepers(&region, 4);
            let word = region.atomic_u32(MOVED).unwrap();
            local::wake_all(word);
            assert!(shared::wake(word, 9) > 0, "the local wake took them all");
            all_woken(&region, threads);
        }

        #[test]
        fn heap_words_can_be_shared_waits_too() {
            let region = Region::heap(4096);
            let threads = sleepers(&region, 4);
            assert!(shared::wake(region.atomic_u32(MOVED).unwrap(), 9) > 0);
            all_woken(&region, threads);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn signals_neither_end_nor_prolong_a_wait() {
        use std::os::unix::thread::JoinHandleExt;
        static SEEN: AtomicU32 = AtomicU32::new(0);
        extern "C" fn count(_: libc::c_int) {
            SEEN.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: all-zero bytes are a valid `sigaction`: no flags (so no restart of the call), an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = count as *const () as libc::sighandler_t;
        // SAFETY: the handler does nothing but an atomic add, which is safe in a signal.
        let set = unsafe { libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()) };
        assert_eq!(set, 0);

        let timeout = Duration::from_millis(200);
        let waiter = thread::spawn(move || {
            let start = Instant::now();
            let outcome = shared::wait(&AtomicU32::new(0), 0, Some(timeout)).unwrap();
            (outcome, start.elapsed())
        });
        let sending = Instant::now();
        while !waiter.is_finished() {
            // A wait that began anew at each signal would last for as long as signals come.
            assert!(sending.elapsed() < LONG, "the signals prolong the wait");
            // SAFETY: the thread has not been joined, so its handle is valid even if it has ended.
            unsafe { libc::pthread_kill(waiter.as_pthread_t(), libc::SIGUSR2) };
            thread::sleep(Duration::from_millis(5));
        }
        let (outcome, elapsed) = waiter.join().unwrap();
        assert_eq!(outcome, Outcome::TimedOut);
        assert!(elapsed >= timeout);
        assert!(SEEN.load(Ordering::Relaxed) > 0);
    }
}
