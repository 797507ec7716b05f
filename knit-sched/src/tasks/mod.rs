//! Worker programs in Rust for the pools of JavaScript hosts: a task is a function under a name, its argument and its result are any types that serde
//! knows, and JavaScript calls it as any other task. (Linux.)
//!
//! ```rust,no_run
//! use knit_sched::tasks::{TaskError, Tasks};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Range {
//!     from: u32,
//!     to: u32,
//! }
//!
//! #[derive(Serialize)]
//! struct Sum {
//!     total: u64,
//! }
//!
//! fn main() -> Result<(), TaskError> {
//!     Tasks::new()
//!         .task("sum", |range: Range| {
//!             if range.from > range.to {
//!                 return Err("the range is empty");
//!             }
//!             Ok(Sum { total: (range.from..=range.to).map(u64::from).sum() })
//!         })
//!         .serve()
//! }
//! ```
//!
//! How a call rejects in JavaScript, without harm to any other:
//!
//! | what happens | error |
//! |---|---|
//! | the argument does not fit the Rust type, or the result cannot be sent | `UnsupportedValueError`, code `KNT_ERROR_3`, that names the task, the part of the argument, and what was expected |
//! | the function returns an error | `Error` with its text, in the alternate form (`{:#}`), in which `anyhow` and its like tell all their causes |
//! | the function panics | `KnitError`, code `KNT_FAILED`, with the task's name and what the panic said |
//!
//! A name that the program does not have fails the pool at its start. What becomes what is said in [`knit_codec::serde`].
//!
//! # What the program does
//!
//! 1. It joins the pool that its standard input names, and reads the names that the host gives the functions.
//! 2. If it lacks one, it says so through the pool's memory, and ends. Else it takes its place and says that it serves.
//! 3. It runs calls until the host asks it to end, or is gone.
//!
//! Arguments are read with the host's shape table. Results name no shared shapes: each says its own.

mod shapes;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use crate::SchedError;
use crate::serve::Thrown;
use knit_codec::serde::{DEPTH, from_bytes_with, to_bytes};
use knit_codec::{CodecError, ErrorClass, ErrorValue, Limits, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shapes::HostShapes;

/// Exit status of a worker process that was not given the pool's memory (`EX_CONFIG` in sysexits.h): what has started it closes or replaces standard input, and will again. A
/// host of this package does not try again then.
pub const NOT_INHERITED: i32 = 78;

/// Why a worker program could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The pool wants a task that the program does not have.
    #[error("this worker has no task {missing:?}; it has {known:?}")]
    NoSuchTask {
        /// The name.
        missing: String,
        /// What there is.
        known: Vec<String>,
    },
    /// What a worker says about itself could not be written.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// From the pool's engine.
    #[error(transparent)]
    Sched(#[from] SchedError),
}

impl TaskError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchTask { .. } => "KNT_TASK_BINDING",
            Self::Codec(_) => "KNT_CODEC",
            Self::Sched(error) => error.code(),
        }
    }
}

type Task = dyn Fn(&[u8], usize, &Mutex<HostShapes>) -> Result<Vec<u8>, Thrown> + Send + Sync;

/// The tasks of a worker program, by name.
#[derive(Clone, Default)]
pub struct Tasks {
    by_name: HashMap<String, Arc<Task>>,
}

/// What is thrown at the caller of a function that returns an error.
fn returned(error: &impl Display) -> Thrown {
    let error = Value::Error(Box::new(ErrorValue {
        class: ErrorClass::Error,
        message: Some(format!("{error:#}").as_str().into()),
        ..ErrorValue::default()
    }));
    // A text has no reason not to be written.
    Thrown::Value(knit_codec::to_bytes(&error).unwrap_or_default())
}

/// A value that cannot travel, as the package describes it.
#[derive(Serialize)]
struct Unsupported<'a> {
    code: &'static str,
    path: &'a str,
    kind: &'a str,
    message: &'a str,
}

/// Where what cannot travel is, as the package says it.
const ARGUMENT: &str = "arg";
const RESULT: &str = "result";

/// What is thrown if the argument cannot be read.
fn mistyped(task: &str, error: CodecError) -> Thrown {
    let what = "the argument does not fit its type";
    let (path, message) = match error {
        CodecError::Misfit(misfit) => {
            let path = format!("{ARGUMENT}{}", misfit.path);
            let message = format!("{what}: {path}: {}", misfit.reason);
            (path, message)
        }
        error => (ARGUMENT.to_owned(), format!("{what}: {error}")),
    };
    unsupported(task, &path, "value of another type", &message)
}

/// What is thrown if the result cannot be written.
fn unsendable(task: &str, error: &impl Display) -> Thrown {
    let message = format!("the result cannot be sent: {error}");
    unsupported(task, RESULT, "value that cannot be sent", &message)
}

fn unsupported(task: &str, path: &str, kind: &str, message: &str) -> Thrown {
    let described = Unsupported {
        code: "KNT_ERROR_3",
        path,
        kind,
        message: &format!("Task {task:?}: {message}"),
    };
    // As above.
    Thrown::Engine(to_bytes(&described).unwrap_or_default())
}

impl Tasks {
    /// No tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task, or replaces the one of that name. What it returns as an error is the message of the `Error` that its caller gets.
    #[must_use]
    pub fn task<A: DeserializeOwned, R: Serialize, E: Display>(
        mut self,
        name: &str,
        function: impl Fn(A) -> Result<R, E> + Send + Sync + 'static,
    ) -> Self {
        let task = name.to_owned();
        let run = move |bytes: &[u8], longest: usize, shapes: &Mutex<HostShapes>| {
            let argument = {
                let mut shapes = shapes.lock().unwrap_or_else(PoisonError::into_inner);
                let limits = Limits::DEFAULT.with_depth(DEPTH);
                let read = shapes
                    .current()
                    .and_then(|shapes| from_bytes_with(bytes, limits, Some(shapes)));
                read.map_err(|error| mistyped(&task, error))?
            };
            let result = function(argument).map_err(|error| returned(&error))?;
            let result = to_bytes(&result).map_err(|error| unsendable(&task, &error))?;
            let bytes = result.len();
            if bytes > longest {
                let limit = longest;
                let error = SchedError::TooLong { bytes, limit };
                return Err(unsendable(&task, &error));
            }
            Ok(result)
        };
        self.by_name.insert(name.to_owned(), Arc::new(run));
        self
    }

    /// Makes this process the worker that its host started it for, and serves until the host asks it to end. If the host is gone, the process exits. So it does, with
    /// [`NOT_INHERITED`] and the reason on standard error, if it was not started by a host, or the wrapper around it keeps back what the host gave.
    ///
    /// # Errors
    /// A task is missing; the memory is damaged.
    #[cfg(target_os = "linux")]
    pub fn serve(self) -> Result<(), TaskError> {
        use crate::process::{Gone, join};

        let joined = match join(Gone::Exit) {
            Err(error @ SchedError::NotInherited(_)) => {
                eprintln!("{error}");
                std::process::exit(NOT_INHERITED);
            }
            joined => joined?,
        };
        let boot = joined.boot()?;
        let shapes = Arc::new(Mutex::new(HostShapes::new(joined.shared())?));
        let functions = self.functions(&boot.functions, &shapes);
        let mut worker = joined.attach()?;
        match functions {
            Ok(functions) => {
                worker.publish(&note::ready()?)?;
                Ok(crate::serve(worker, &functions)?)
            }
            Err(error) => {
                worker.publish(&note::failed(&error)?)?;
                Err(error)
            }
        }
    }

    /// Always an error: workers are processes on Linux only.
    ///
    /// # Errors
    /// [`SchedError::NoProcesses`].
    #[cfg(not(target_os = "linux"))]
    pub fn serve(self) -> Result<(), TaskError> {
        Err(SchedError::NoProcesses.into())
    }

    /// The functions in the host's order.
    fn functions(
        &self,
        names: &[String],
        shapes: &Arc<Mutex<HostShapes>>,
    ) -> Result<crate::Functions, TaskError> {
        let mut functions = crate::Functions::new();
        for name in names {
            let Some(task) = self.by_name.get(name).cloned() else {
                let mut known: Vec<String> = self.by_name.keys().cloned().collect();
                known.sort_unstable();
                return Err(TaskError::NoSuchTask {
                    missing: name.clone(),
                    known,
                });
            };
            let shapes = shapes.clone();
            functions = functions.named(name, move |bytes, longest| task(bytes, longest, &shapes));
        }
        Ok(functions)
    }
}

/// What a worker says about itself, as the package's own workers do.
#[cfg(target_os = "linux")]
mod note {
    use crate::frames;
    use knit_codec::serde::to_bytes;
    use serde::Serialize;

    use super::TaskError;

    #[derive(Serialize)]
    struct Ready {
        ready: bool,
    }

    #[derive(Serialize)]
    struct Failed<'a> {
        failed: Why<'a>,
    }

    #[derive(Serialize)]
    struct Why<'a> {
        code: &'a str,
        message: &'a str,
        stack: &'a str,
    }

    pub(super) fn ready() -> Result<Vec<u8>, TaskError> {
        frame(&Ready { ready: true })
    }

    pub(super) fn failed(error: &TaskError) -> Result<Vec<u8>, TaskError> {
        let message = error.to_string();
        frame(&Failed {
            failed: Why {
                code: error.code(),
                message: &message,
                stack: &message,
            },
        })
    }

    fn frame(note: &impl Serialize) -> Result<Vec<u8>, TaskError> {
        let payload = to_bytes(note)?;
        let call = frames::call_of(0, 0, &payload);
        let header = frames::answer_of(&call, frames::kind::NOTE, 0, &payload);
        let mut buffer = Vec::new();
        frames::append(&mut buffer, &header, &payload);
        Ok(buffer)
    }
}
