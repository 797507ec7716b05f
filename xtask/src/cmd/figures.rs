//! Runs of one script on every runtime, each of which ends in a line of figures; one table of them.
//!
//! The script checks what it does itself, and fails if something is wrong. Its last line is the run's name, then words `name=value`.

use std::fmt::Write;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process;
use crate::project::{Project, Runtime};
use crate::report::Report;

/// Such a run.
pub struct Run {
    /// Its name, with which the line of figures begins.
    pub name: &'static str,
    /// The script.
    pub script: &'static str,
    /// Its arguments.
    pub args: Vec<String>,
    /// After which time without an end it is taken to hang.
    pub limit: Duration,
    /// The table's columns: name of the figure, and its heading.
    pub columns: &'static [(&'static str, &'static str)],
}

impl Run {
    /// Adds one step for each runtime to a report, and prints the table.
    pub fn steps(&self, project: &Project, on: &[Runtime], report: &mut Report) {
        let mut rows = Vec::new();
        for &runtime in on {
            report.check(&format!("{} on {}", self.name, runtime.name()), || {
                let text = self.one(project, runtime)?;
                rows.push((runtime.name(), text));
                Ok(())
            });
        }
        print!("\n{}", table(self.columns, &rows));
    }

    /// Runs on one runtime; returns the line of figures.
    fn one(&self, project: &Project, runtime: Runtime) -> Result<String> {
        let mut command = project.runtime(runtime);
        match runtime {
            Runtime::Deno => {
                command.args(["run", "--allow-all", "--no-check", "--v8-flags=--expose-gc"])
            }
            Runtime::Bun => &mut command,
            _ => command.arg("--expose-gc"),
        };
        command.arg(project.path(self.script)).args(&self.args);
        let watched = process::watch(&mut command, self.limit)?;
        if !watched.status.success() {
            return Err(Error::Failed {
                line: process::line(&command),
                status: watched.status.to_string(),
            });
        }
        figures(self.name, &watched.text)
            .ok_or_else(|| Error::Missing(format!("{} ended without its figures", self.name)))
    }
}

/// The last line that holds figures.
fn figures(name: &str, text: &str) -> Option<String> {
    let line = |l: &str| Some(l.strip_prefix(name)?.strip_prefix(' ')?.to_owned());
    text.lines().rev().find_map(line)
}

/// The figure of that name.
fn figure<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(' ')
        .filter_map(|word| word.split_once('='))
        .find_map(|(n, value)| (n == name).then_some(value))
}

fn table(columns: &[(&str, &str)], rows: &[(&str, String)]) -> String {
    let mut text = String::from("runtime");
    for (_, heading) in columns {
        text += "  ";
        text += heading;
    }
    text.push('\n');
    for (name, line) in rows {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name:7}");
        for (key, heading) in columns {
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

    const LINE: &str = "seconds=2 end=211 threads=-1";
    const COLUMNS: [(&str, &str); 3] = [
        ("seconds", "seconds"),
        ("end", "MiB, end"),
        ("threads", "threads +"),
    ];

    #[test]
    fn figures_are_found_in_what_a_run_says() {
        let text = format!("seed 7, 2 s\nstress {LINE}\nsomething later\nstressed a=1\n");
        assert_eq!(figures("stress", &text).as_deref(), Some(LINE));
        assert_eq!(figures("stress", "seed 7, 2 s\n"), None);
        assert_eq!(figure(LINE, "end"), Some("211"));
        assert_eq!(figure(LINE, "threads"), Some("-1"));
        assert_eq!(figure(LINE, "thread"), None);
    }

    #[test]
    fn the_table_has_a_row_for_each_runtime_and_all_columns() {
        let text = table(
            &COLUMNS,
            &[("node24", LINE.to_owned()), ("bun", String::new())],
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].ends_with("threads +"));
        assert!(!lines[1].contains('?'), "{text}");
        assert_eq!(lines[2].matches('?').count(), COLUMNS.len());
    }
}
