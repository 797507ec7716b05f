//! `stress`: random calls on every runtime, from a seed, for some time each.
//!
//! `knit-node/test/stress/main.ts` makes the calls, checks each outcome, and fails if one is wrong, if anything
//! is left at the end, or if memory has grown since the warm-up. Its last line holds its figures, as words
//! `name=value`; this command prints them as one table.

use std::fmt::Write;
use std::time::Duration;

use super::build;
use crate::error::{Error, Result};
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};
use crate::report::Report;

/// Longer than a run's own time until it is taken to hang.
const MARGIN: Duration = Duration::from_secs(180);

/// The table's columns: name of the figure, and its heading.
const COLUMNS: [(&str, &str); 13] = [
    ("seconds", "seconds"),
    ("calls", "calls"),
    ("returned", "returned"),
    ("threw", "threw"),
    ("timedOut", "timed out"),
    ("aborted", "aborted"),
    ("refused", "refused"),
    ("crashed", "crashed"),
    ("respawns", "workers killed"),
    ("warm", "MiB, warm"),
    ("end", "MiB, end"),
    ("threads", "threads +"),
    ("descriptors", "descriptors +"),
];

/// Runs on each runtime and prints the table; `false` if one failed.
pub fn run(project: &Project, flags: &flags::Stress) -> Result<bool> {
    build::run(project)?;
    let mut report = Report::default();
    steps(project, flags, &mut report);
    Ok(report.finish())
}

/// Adds one step for each runtime to a report, and prints the table.
pub fn steps(project: &Project, flags: &flags::Stress, report: &mut Report) {
    let mut rows = Vec::new();
    for &runtime in &flags.on {
        report.check(&format!("stress on {}", runtime.name()), || {
            let text = one(project, flags, runtime)?;
            rows.push((runtime.name(), text));
            Ok(())
        });
    }
    print!("\n{}", table(&rows));
}

/// Runs on one runtime; returns the line of figures.
fn one(project: &Project, flags: &flags::Stress, runtime: Runtime) -> Result<String> {
    let mut command = project.runtime(runtime);
    match runtime {
        Runtime::Deno => {
            command.args(["run", "--allow-all", "--no-check", "--v8-flags=--expose-gc"])
        }
        Runtime::Bun => &mut command,
        _ => command.arg("--expose-gc"),
    };
    command
        .arg(project.path("knit-node/test/stress/main.ts"))
        .arg(flags.seconds.to_string())
        .arg(flags.seed.to_string());
    let limit = Duration::from_secs(flags.seconds.into()) + MARGIN;
    let watched = process::watch(&mut command, limit)?;
    if !watched.status.success() {
        return Err(Error::Failed {
            line: process::line(&command),
            status: watched.status.to_string(),
        });
    }
    figures(&watched.text)
        .ok_or_else(|| Error::Missing("the stress run ended without its figures".to_owned()))
}

/// The last line that holds figures.
fn figures(text: &str) -> Option<String> {
    let line = |l: &str| l.strip_prefix("stress ").map(str::to_owned);
    text.lines().rev().find_map(line)
}

/// The figure of that name.
fn figure<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(' ')
        .filter_map(|word| word.split_once('='))
        .find_map(|(n, value)| (n == name).then_some(value))
}

fn table(rows: &[(&str, String)]) -> String {
    let mut text = String::from("runtime");
    for (_, heading) in COLUMNS {
        text += "  ";
        text += heading;
    }
    text.push('\n');
    for (name, line) in rows {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name:7}");
        for (key, heading) in COLUMNS {
            let value = figure(line, key).unwrap_or("?");
            let _ = write!(text, "  {value:>width$}", width = heading.len());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "seconds=2 seed=7 calls=100 returned=90 threw=10 timedOut=0 aborted=0 refused=0 \
        crashed=0 killed=0 respawns=3 warm=201 end=211 descriptors=0 threads=-1";

    #[test]
    fn figures_are_found_in_what_a_run_says() {
        let text = format!("seed 7, 2 s\nstress {LINE}\nsomething later\n");
        assert_eq!(figures(&text).as_deref(), Some(LINE));
        assert_eq!(figures("seed 7, 2 s\n"), None);
        assert_eq!(figure(LINE, "end"), Some("211"));
        assert_eq!(figure(LINE, "threads"), Some("-1"));
        assert_eq!(figure(LINE, "read"), None);
    }

    #[test]
    fn the_table_has_a_row_for_each_runtime_and_all_columns() {
        let text = table(&[("node24", LINE.to_owned()), ("bun", String::new())]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].ends_with("descriptors +"));
        assert!(!lines[1].contains('?'), "{text}");
        assert_eq!(lines[2].matches('?').count(), COLUMNS.len());
    }
}
