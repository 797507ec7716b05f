//! Steps of a long run: each is shown, timed and counted, and a failure does not stop the next.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::count::Counts;
use crate::error::Result;

/// How a step ended.
pub enum Outcome {
    /// It ran; these are its tests.
    Ran(Counts),
    /// It cannot run here, for this reason.
    Skipped(&'static str),
}

impl From<Counts> for Outcome {
    fn from(counts: Counts) -> Outcome {
        Outcome::Ran(counts)
    }
}

struct Row {
    name: String,
    outcome: Outcome,
    error: Option<String>,
    time: Duration,
}

/// The steps so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Runs a step; returns whether nothing in it failed. An error is one failure.
    pub fn step<O: Into<Outcome>>(&mut self, name: &str, work: impl FnOnce() -> Result<O>) -> bool {
        eprintln!("\n==> {name}");
        let start = Instant::now();
        let (outcome, error) = match work() {
            Ok(outcome) => (outcome.into(), None),
            Err(error) => {
                eprintln!("error: {error}");
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default().to_owned();
                (Outcome::Ran(Counts::one(false)), Some(first))
            }
        };
        let good = !matches!(&outcome, Outcome::Ran(counts) if counts.failed > 0);
        self.rows.push(Row {
            name: name.to_owned(),
            outcome,
            error,
            time: start.elapsed(),
        });
        good
    }

    /// Runs a step that is one check: it succeeds or is an error.
    pub fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.step(name, || work().map(|()| Counts::one(true)))
    }

    /// Adds a line that the steps have found, for below the table.
    pub fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// All steps together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for row in &self.rows {
            if let Outcome::Ran(counts) = &row.outcome {
                total += *counts;
            }
        }
        total
    }

    /// The table, and the total as its last line.
    pub fn table(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|r| r.name.len())
            .max()
            .unwrap_or(0)
            .max(4);
        let mut text = format!("{:width$}  passed  failed  skipped    time\n", "step");
        for row in &self.rows {
            let seconds = row.time.as_secs_f64();
            // Writing to a String cannot fail.
            let _ = match &row.outcome {
                Outcome::Ran(c) => writeln!(
                    text,
                    "{:width$}  {:>6}  {:>6}  {:>7}  {seconds:>5.0} s{}",
                    row.name,
                    c.passed,
                    c.failed,
                    c.skipped,
                    row.error
                        .as_ref()
                        .map_or(String::new(), |e| format!("  {e}"))
                ),
                Outcome::Skipped(why) => writeln!(text, "{:width$}  skipped: {why}", row.name),
            };
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        let total = self.total();
        let _ = writeln!(text, "{} passed, {} failed", total.passed, total.failed);
        text
    }

    /// Prints the table; returns whether nothing failed.
    pub fn finish(&self) -> bool {
        print!("\n{}", self.table());
        self.total().failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_the_total_is_the_last_line() {
        let mut report = Report::default();
        assert!(!report.check("first", || Err(Error::Missing("no compiler\nmore".into()))));
        assert!(report.step("second", || Ok(Counts {
            passed: 7,
            failed: 0,
            skipped: 1
        })));
        let table = report.table();
        assert!(table.contains("no compiler\n"), "{table}");
        assert_eq!(table.lines().last(), Some("7 passed, 1 failed"));
        assert!(!report.finish());
    }

    #[test]
    fn notes_stand_between_the_steps_and_the_total() {
        let mut report = Report::default();
        report.check("first", || Ok(()));
        report.note("found".into());
        let table = report.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[2..], ["found", "1 passed, 0 failed"]);
    }

    #[test]
    fn a_skipped_step_says_why_and_counts_for_nothing() {
        let mut report = Report::default();
        assert!(report.step("memcheck", || Ok(Outcome::Skipped("no valgrind"))));
        assert!(report.table().contains("skipped: no valgrind"));
        assert_eq!(report.total(), Counts::default());
    }
}
