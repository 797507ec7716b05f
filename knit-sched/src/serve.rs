//! A worker that runs Rust functions: a table of them, and the loop.
//!
//! A function gets the bytes of its argument and returns those of its result, or of what it throws. Its number is its place in the table.
//! A function that panics ends only its own call (unless panics abort): the caller gets the message.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::frames::{self, Message, flag, kind};
use crate::worker::{Turn, Worker};

/// How long an idle worker looks for work before it sleeps: less than a wake-up costs.
const SEARCH: Duration = Duration::from_micros(20);

/// What a function ends with instead of a result.
pub(crate) enum Thrown {
    /// What it throws, as its caller gets it.
    Value(Vec<u8>),
    /// An error of the worker's engine, as an object that the host's binding makes an error of ([`flag::ENGINE`]).
    Engine(Vec<u8>),
}

/// Of the argument, and of the most bytes that an answer may have.
type Function = dyn Fn(&[u8], usize) -> Result<Vec<u8>, Thrown> + Send + Sync;

#[derive(Clone)]
struct Entry {
    /// For messages.
    name: Option<Box<str>>,
    run: Arc<Function>,
}

/// The functions that a worker can run, by number. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Functions {
    table: Vec<Entry>,
}

impl Functions {
    /// A table without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function under the next number: the first is 0. Host and workers must add the same in the same order.
    ///
    /// # Panics
    /// If there are 65536 already.
    #[must_use]
    pub fn with(
        self,
        function: impl Fn(&[u8]) -> Result<Vec<u8>, Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let run = move |argument: &[u8], _: usize| function(argument).map_err(Thrown::Value);
        self.push(None, Arc::new(run))
    }

    /// The same with a name, which messages say.
    pub(crate) fn named(
        self,
        name: &str,
        run: impl Fn(&[u8], usize) -> Result<Vec<u8>, Thrown> + Send + Sync + 'static,
    ) -> Self {
        self.push(Some(name.into()), Arc::new(run))
    }

    fn push(mut self, name: Option<Box<str>>, run: Arc<Function>) -> Self {
        assert!(self.table.len() <= usize::from(u16::MAX));
        self.table.push(Entry { name, run });
        self
    }

    /// Runs what a call asks for and appends the frame of its answer.
    fn answer(&self, call: &Message, longest: usize, replies: &mut Vec<u8>) {
        let mut fail = |why: String| {
            let header = frames::answer_of(&call.header, kind::THROWN, flag::TEXT, why.as_bytes());
            frames::append(replies, &header, why.as_bytes());
        };
        let number = call.header.function;
        let Some(Entry { name, run }) = self.table.get(usize::from(number)) else {
            return fail(format!("this worker has no function {number}"));
        };
        let who = || match name {
            Some(name) => format!("task {name:?}"),
            None => format!("function {number}"),
        };
        // Unwind safety: a function that panics half-way and is called again sees what it left, as after an error.
        let ended = catch_unwind(AssertUnwindSafe(|| run(&call.payload, longest)));
        let (kind, flags, payload) = match ended {
            Ok(Ok(result)) => (kind::RESULT, 0, result),
            Ok(Err(Thrown::Value(thrown))) => (kind::THROWN, 0, thrown),
            Ok(Err(Thrown::Engine(error))) => (kind::THROWN, flag::ENGINE, error),
            Err(panic) => return fail(format!("{} panicked: {}", who(), text_of(&*panic))),
        };
        if payload.len() > longest {
            let bytes = payload.len();
            return fail(format!(
                "{} returned {bytes} bytes, but the pool's memory holds at most {longest} at once",
                who()
            ));
        }
        let header = frames::answer_of(&call.header, kind, flags, &payload);
        frames::append(replies, &header, &payload);
    }
}

/// What a panic said.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or("without a message")
}

/// Runs calls until the host asks this worker to end.
///
/// # Errors
/// The memory is damaged, or the system cannot wait.
pub fn serve(mut worker: Worker, functions: &Functions) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let search = if cores > 1 { SEARCH } else { Duration::ZERO };
    let longest = worker.longest_payload();
    let mut replies = Vec::new();
    loop {
        let turn = worker.turn(&replies, search)?;
        replies.clear();
        match turn {
            Turn::Stop => return Ok(()),
            Turn::Idle => worker.wait(None)?,
            Turn::Work => {
                for n in 0..worker.claims().len() {
                    let call = worker.call(n)?;
                    functions.answer(&call, longest, &mut replies);
                }
            }
        }
    }
}

/// Makes this process the worker that its host started it for, and runs calls until the host asks it to end. See [`crate::process`].
///
/// # Errors
/// As [`crate::process::attach`] and [`serve`].
#[cfg(target_os = "linux")]
pub fn serve_process(functions: &Functions) -> Result<()> {
    serve(crate::process::attach()?, functions)
}
