//! A worker that parses CSV with the `csv` crate: for numbers under a heading, how many there are, their sum and mean.
//!
//! ```ts
//! const summary = nativeTask<(job: { text: string; column: string }) => { rows: number; sum: number; mean: number }>("summary");
//! const pool = createPool({ worker: { runtime: "process", command: ["target/release/examples/table"] } })({ summary });
//! ```

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Job {
    text: String,
    column: String,
}

#[derive(Serialize)]
struct Summary {
    rows: u32,
    sum: f64,
    mean: f64,
}

fn summary(job: Job) -> Result<Summary, Box<dyn std::error::Error>> {
    let mut reader = csv::Reader::from_reader(job.text.as_bytes());
    let column = reader
        .headers()?
        .iter()
        .position(|name| name == job.column)
        .ok_or_else(|| format!("there is no column {:?}", job.column))?;
    let (mut rows, mut sum) = (0, 0.0);
    for record in reader.records() {
        let record = record?;
        let field = record.get(column).unwrap_or_default();
        let number: f64 = field
            .parse()
            .map_err(|error| format!("row {}: {field:?}: {error}", rows + 1))?;
        rows += 1;
        sum += number;
    }
    let mean = sum / f64::from(rows);
    Ok(Summary { rows, sum, mean })
}

/// As long as the argument, in bytes that JavaScript sees as a `Uint8Array`.
struct Reversed(Vec<u8>);

impl Serialize for Reversed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

fn reversed(bytes: Vec<u8>) -> Result<Reversed, std::convert::Infallible> {
    Ok(Reversed(bytes.into_iter().rev().collect()))
}

fn panics(why: String) -> Result<(), String> {
    panic!("{why}")
}

fn repeated((text, times): (String, usize)) -> Result<String, std::convert::Infallible> {
    Ok(text.repeat(times))
}

/// A result that nothing can write: a type may refuse.
struct Unsendable;

impl Serialize for Unsendable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("the table is not finished"))
    }
}

fn unsendable(_: ()) -> Result<Unsendable, std::convert::Infallible> {
    Ok(Unsendable)
}

/// An error that tells its causes only if asked, as those of `anyhow` do.
struct Caused;

impl std::fmt::Display for Caused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cause = if f.alternate() { ": no such row" } else { "" };
        write!(f, "the table cannot be joined{cause}")
    }
}

fn caused(_: ()) -> Result<(), Caused> {
    Err(Caused)
}

fn main() -> Result<(), knit_sched::tasks::TaskError> {
    knit_sched::tasks::Tasks::new()
        .task("summary", summary)
        .task("reversed", reversed)
        .task("panics", panics)
        .task("repeated", repeated)
        .task("unsendable", unsendable)
        .task("caused", caused)
        .serve()
}
