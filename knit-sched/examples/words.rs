//! Counts the words of files, a call for each file, in worker processes: one program that is host and worker.
//!
//! ```text
//! cargo run --release -p knit-sched --example words -- *.txt
//! ```
//!
//! The host starts this very program again for each worker. A worker finds out by its standard input that it is one, and serves. (On other
//! systems than Linux the workers are threads.)
//! Arguments and results are any types that serde knows; `knit-codec` makes bytes of them, in the format that JavaScript workers speak too.

use std::collections::HashMap;
use std::error::Error;

use knit_codec::serde::{from_bytes, to_bytes};
use knit_sched::{CallError, Functions, Pool};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Task {
    path: String,
    shortest: usize,
}

#[derive(Serialize, Deserialize)]
struct Words {
    total: u64,
    /// Each word and how often it was found.
    counts: HashMap<String, u64>,
}

/// The number of the only function.
const COUNT: u16 = 0;

fn count(task: &Task) -> Result<Words, String> {
    let text =
        std::fs::read_to_string(&task.path).map_err(|error| format!("{}: {error}", task.path))?;
    let mut words = Words {
        total: 0,
        counts: HashMap::new(),
    };
    for word in text.split(|letter: char| !letter.is_alphabetic()) {
        if word.chars().count() >= task.shortest.max(1) {
            words.total += 1;
            *words.counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    Ok(words)
}

/// A function of values as one of bytes: what it is given and what it returns, well or not, is encoded.
fn typed<A: DeserializeOwned, R: Serialize>(
    function: impl Fn(&A) -> Result<R, String>,
) -> impl Fn(&[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let thrown = |why: String| to_bytes(&why).unwrap_or_default();
    move |argument| {
        let argument = from_bytes(argument).map_err(|error| thrown(error.to_string()))?;
        let result = function(&argument).map_err(thrown)?;
        to_bytes(&result).map_err(|error| thrown(error.to_string()))
    }
}

#[cfg(target_os = "linux")]
fn start(functions: Functions) -> Result<Pool, Box<dyn Error>> {
    if knit_sched::process::is_worker() {
        knit_sched::serve_process(&functions)?;
        std::process::exit(0);
    }
    let again = std::process::Command::new(std::env::current_exe()?);
    Ok(Pool::builder().processes(again)?)
}

#[cfg(not(target_os = "linux"))]
fn start(functions: Functions) -> Result<Pool, Box<dyn Error>> {
    Ok(Pool::builder().threads(functions)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    // In a worker this serves, and does not return.
    let pool = start(Functions::new().with(typed(count)))?;

    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        paths.push(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md").to_owned());
    }
    let mut calls = Vec::new();
    for path in paths {
        let task = Task { path, shortest: 4 };
        calls.push(pool.call(COUNT, to_bytes(&task)?));
    }

    let mut all: HashMap<String, u64> = HashMap::new();
    let mut total = 0;
    for call in calls {
        match call.wait() {
            Ok(result) => {
                let words: Words = from_bytes(&result)?;
                total += words.total;
                for (word, count) in words.counts {
                    *all.entry(word).or_default() += count;
                }
            }
            Err(CallError::Thrown(why)) => eprintln!("{}", from_bytes::<String>(&why)?),
            Err(error) => return Err(error.into()),
        }
    }

    let mut ranking: Vec<_> = all.into_iter().collect();
    ranking.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    println!("{total} words of four letters and more; the most frequent are");
    for (word, count) in ranking.iter().take(10) {
        println!("{count:8}  {word}");
    }
    Ok(())
}
