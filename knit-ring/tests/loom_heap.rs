//! The heap's protocol on a model checker: every interleaving and every stale value that the memory model allows.
//!
//! Loom (0.7) remembers one last access of each word. So if a thread loads a word before it changes it, as `give_back` does, loom forgets
//! that another thread's load came before that, and never tries the two the other way round. Each word here has a *turn* beside it, a
//! relaxed read-modify-write of which comes before every access: it orders no memory, but makes loom try every order of any two accesses.
//!
//! The blocks' bytes are loom cells, so a receiver that still reads while the owner writes is an error by itself. Run with
//! `RUSTFLAGS="--cfg loom" cargo test --release -p knit-ring --test loom_heap`.
#![cfg(loom)]

use core::sync::atomic::Ordering;
use knit_ring::heap::{ArenaMemory, Block, BlockArena, BlockView, GRANULE, HeapError};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::thread;

const ARENA: u16 = 5;

/// A word and its turn.
struct Word<T> {
    turn: AtomicU32,
    word: T,
}

impl<T> Word<T> {
    fn new(word: T) -> Self {
        Self {
            turn: AtomicU32::new(0),
            word,
        }
    }

    fn get(&self) -> &T {
        self.turn.fetch_add(0, Ordering::Relaxed);
        &self.word
    }
}

struct Shared {
    words: Vec<Word<AtomicU64>>,
    returns: Word<AtomicU32>,
    touched: Word<AtomicU32>,
    bytes: Vec<UnsafeCell<u64>>,
}

/// An arena on loom's atomics, with one cell for the bytes of each granule.
#[derive(Clone)]
struct Model(Arc<Shared>);

impl Model {
    fn new(granules: usize) -> Self {
        Self(Arc::new(Shared {
            words: (0..granules)
                .map(|_| Word::new(AtomicU64::new(0)))
                .collect(),
            returns: Word::new(AtomicU32::new(0)),
            touched: Word::new(AtomicU32::new(0)),
            bytes: (0..granules).map(|_| UnsafeCell::new(0)).collect(),
        }))
    }

    fn write(&self, block: Block, value: u64) {
        // SAFETY: the caller holds the block; loom fails the test if anyone else touches the cell now.
        self.cell(block).with_mut(|cell| unsafe { *cell = value });
    }

    fn read(&self, block: Block) -> u64 {
        // SAFETY: as for `write`.
        self.cell(block).with(|cell| unsafe { *cell })
    }

    fn cell(&self, block: Block) -> &UnsafeCell<u64> {
        &self.0.bytes[block.offset / GRANULE as usize]
    }
}

impl ArenaMemory for Model {
    fn granules(&self) -> u32 {
        self.0.words.len() as u32
    }
    fn data_offset(&self) -> usize {
        0
    }
    fn load(&self, granule: u32, order: Ordering) -> u64 {
        self.0.words[granule as usize].get().load(order)
    }
    fn store(&self, granule: u32, word: u64, order: Ordering) {
        self.0.words[granule as usize].get().store(word, order);
    }
    fn swap(&self, granule: u32, word: u64, order: Ordering) -> u64 {
        self.0.words[granule as usize].get().swap(word, order)
    }
    fn compare_exchange(
        &self,
        granule: u32,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.0.words[granule as usize]
            .get()
            .compare_exchange(current, new, success, failure)
    }
    fn returns(&self, order: Ordering) -> u32 {
        self.0.returns.get().load(order)
    }
    fn count_return(&self, order: Ordering) {
        self.0.returns.get().fetch_add(1, order);
    }
    fn touched(&self) -> u32 {
        self.0.touched.get().load(Ordering::Relaxed)
    }
    fn set_touched(&self, granule: u32) {
        self.0.touched.get().store(granule, Ordering::Relaxed);
    }
    fn kept(&self) -> u32 {
        0
    }
    fn set_kept(&self, _: u32) {}
    fn commit(&self, _: u32, _: u32) -> Result<(), HeapError> {
        Ok(())
    }
    fn release(&self, _: u32, _: u32) -> Result<(), HeapError> {
        Ok(())
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn arena(model: &Model) -> BlockArena<Model> {
    BlockArena::over(model.clone(), ARENA)
}

fn view(model: &Model) -> BlockView<Model> {
    BlockView::over(model.clone(), ARENA)
}

#[test]
fn a_block_is_not_written_while_its_receiver_reads() {
    check(|| {
        let model = Model::new(1);
        let mut arena = arena(&model);
        let first = arena.alloc(1).expect("room");
        model.write(first, 41);
        let receiver = {
            let model = model.clone();
            thread::spawn(move || {
                let view = view(&model);
                let block = view.resolve(first.locator).expect("live");
                assert_eq!(model.read(block), 41);
                view.give_back(first.locator).expect("live");
            })
        };
        let second = arena.alloc(1);
        if let Ok(second) = second {
            model.write(second, 42);
        }
        receiver.join().expect("no panic");
        let second = second.unwrap_or_else(|_| arena.alloc(1).expect("it came back"));
        assert_ne!(second.locator, first.locator);
        let view = view(&model);
        assert!(matches!(
            view.give_back(first.locator),
            Err(HeapError::NotLive(_))
        ));
        assert!(view.resolve(second.locator).is_ok());
    });
}

#[test]
fn a_block_comes_back_once_whoever_tries() {
    check(|| {
        let model = Model::new(2);
        let mut arena = arena(&model);
        let block = arena.alloc(1).expect("room");
        let receivers = [0, 1].map(|_| {
            let view = view(&model);
            thread::spawn(move || usize::from(view.give_back(block.locator).is_ok()))
        });
        // While they try, the owner may find it, and may hand it out again.
        let found = arena.reclaim();
        let next = arena.alloc(1).expect("room for two");
        let successes: usize = receivers
            .map(|receiver| receiver.join().expect("no panic"))
            .iter()
            .sum();
        assert_eq!(successes, 1);
        arena.reclaim();
        assert!(found <= 1);
        assert_eq!(
            arena.live_blocks(),
            1,
            "the next one was not given back by anyone"
        );
        assert!(view(&model).resolve(next.locator).is_ok());
    });
}

#[test]
fn a_block_freed_by_its_owner_is_not_given_back_too() {
    check(|| {
        let model = Model::new(1);
        let mut arena = arena(&model);
        let block = arena.alloc(1).expect("room");
        model.write(block, 1);
        let receiver = {
            let view = view(&model);
            thread::spawn(move || view.give_back(block.locator).is_ok())
        };
        arena
            .free(block.locator)
            .expect("outstanding as far as the owner knows");
        let next = arena.alloc(1).expect("free at once");
        model.write(next, 2);
        receiver.join().expect("no panic");
        arena.reclaim();
        assert_eq!(arena.live_blocks(), 1);
        assert!(view(&model).resolve(next.locator).is_ok());
    });
}

/// A receiver that reads a block and gives it back.
fn read_and_give_back(model: &Model, block: Block) -> thread::JoinHandle<()> {
    let model = model.clone();
    thread::spawn(move || {
        assert_eq!(model.read(block), 1);
        view(&model).give_back(block.locator).expect("live");
    })
}

#[test]
fn freeing_what_is_known_to_be_back_waits_for_the_last_read() {
    check(|| {
        let model = Model::new(1);
        let mut arena = arena(&model);
        let block = arena.alloc(1).expect("room");
        model.write(block, 1);
        let receiver = read_and_give_back(&model, block);
        // A glance, which orders nothing by itself.
        if view(&model).outstanding() == 0 {
            arena.free(block.locator).expect("not looked at yet");
            let next = arena.alloc(1).expect("free at once");
            model.write(next, 2);
        }
        receiver.join().expect("no panic");
    });
}

#[test]
fn recovering_what_is_known_to_be_back_waits_for_the_last_read() {
    check(|| {
        let model = Model::new(1);
        let mut old = arena(&model);
        let block = old.alloc(1).expect("room");
        model.write(block, 1);
        drop(old);
        let receiver = read_and_give_back(&model, block);
        let is_held = || view(&model).outstanding() == 1;
        let mut new = BlockArena::recover_over(model.clone(), ARENA, |_| is_held()).expect("sound");
        if new.live_blocks() == 0 {
            let next = new.alloc(1).expect("free at once");
            model.write(next, 2);
        }
        receiver.join().expect("no panic");
    });
}

#[test]
fn no_return_is_overlooked() {
    check(|| {
        let model = Model::new(2);
        let mut arena = arena(&model);
        let blocks = [arena.alloc(1).expect("room"), arena.alloc(1).expect("room")];
        let receivers = blocks.map(|block| {
            let view = view(&model);
            thread::spawn(move || view.give_back(block.locator).expect("live"))
        });
        // A pass that runs while they come back must not settle for a count whose blocks it has not seen.
        let early = arena.alloc(2 * GRANULE as usize);
        for receiver in receivers {
            receiver.join().expect("no panic");
        }
        early.unwrap_or_else(|_| {
            arena
                .alloc(2 * GRANULE as usize)
                .expect("both came back and were counted")
        });
    });
}

#[test]
fn a_new_owner_and_a_late_return_agree() {
    check(|| {
        let model = Model::new(2);
        let mut old = arena(&model);
        let kept = old.alloc(1).expect("room");
        let lost = old.alloc(1).expect("room");
        model.write(kept, 7);
        drop(old);
        let receiver = {
            let model = model.clone();
            thread::spawn(move || {
                let view = view(&model);
                assert_eq!(model.read(kept), 7);
                view.give_back(kept.locator).expect("kept, so live");
            })
        };
        let mut new =
            BlockArena::recover_over(model.clone(), ARENA, |locator| locator == kept.locator)
                .expect("sound");
        assert!(matches!(
            view(&model).give_back(lost.locator),
            Err(HeapError::NotLive(_))
        ));
        while let Ok(block) = new.alloc(1) {
            model.write(block, 8);
        }
        receiver.join().expect("no panic");
        new.reclaim();
        assert!(new.live_blocks() <= 2);
        assert_eq!(view(&model).outstanding(), new.live_blocks());
    });
}
