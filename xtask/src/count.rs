//! How many tests passed and failed, read from what the test runners print.
//!
//! Only the runners' own summary lines count. A runner that ends with an error although it counted
//! no failure (it did not compile, it crashed) is one failure; one that ran nothing at all is one
//! too: an empty run must never look like a good one.

/// Tests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ended well.
    pub passed: u64,
    /// Ended badly, or were cut off.
    pub failed: u64,
    /// Were not run, by the test's own decision.
    pub skipped: u64,
}

impl Counts {
    /// A step that is one check.
    pub fn one(passed: bool) -> Counts {
        Counts {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }

    /// Holds the counts against how the runner ended.
    pub fn settle(self, success: bool) -> Counts {
        self.held_against(success && self.passed > 0)
    }

    /// As [`Counts::settle`], for a part of a suite: all of its tests may be skipped, but there are some.
    pub fn settle_part(self, success: bool) -> Counts {
        self.held_against(success && self.passed + self.skipped > 0)
    }

    fn held_against(mut self, good: bool) -> Counts {
        if self.failed == 0 && !good {
            self.failed = 1;
        }
        self
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The runner whose output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// `cargo test`: one summary line for each test binary.
    Cargo,
    /// `node --test`, reporters `spec` and `tap`: one summary at the end.
    Node,
    /// `deno test`: one summary line at the end.
    Deno,
    /// `bun test`: one summary at the end.
    Bun,
}

/// Adds up a runner's summary lines.
pub fn count(runner: Runner, text: &str) -> Counts {
    let text = without_colours(text);
    let lines = text.lines().map(str::trim);
    match runner {
        Runner::Cargo => {
            let mut counts = Counts::default();
            lines
                .clone()
                .filter_map(cargo_line)
                .for_each(|c| counts += c);
            // A binary that crashed, or a doc test that did not compile, has no summary line of its
            // own; cargo counts it at the end among the targets that failed.
            let reported = lines
                .clone()
                .filter(|l| l.starts_with("test result: FAILED"))
                .count() as u64;
            let targets = lines.filter_map(failed_targets).next_back().unwrap_or(0);
            counts.failed += targets.saturating_sub(reported);
            counts
        }
        Runner::Node => {
            // What a test prints comes before the runner's summary, so the last line of each kind wins.
            let last = |word: &str| {
                let value = |line: &str| numbered(line.trim_start_matches(['#', 'ℹ']), word);
                text.lines().map(str::trim).filter_map(value).next_back()
            };
            Counts {
                passed: last("pass").unwrap_or(0),
                failed: last("fail").unwrap_or(0) + last("cancelled").unwrap_or(0),
                skipped: last("skipped").unwrap_or(0) + last("todo").unwrap_or(0),
            }
        }
        Runner::Deno => lines.filter_map(deno_line).next_back().unwrap_or_default(),
        Runner::Bun => {
            let last = |word: &str| {
                let value = |line: &str| leading(line, word);
                text.lines().map(str::trim).filter_map(value).next_back()
            };
            Counts {
                passed: last("pass").unwrap_or(0),
                failed: last("fail").unwrap_or(0) + last("errors").or(last("error")).unwrap_or(0),
                skipped: last("skip").unwrap_or(0) + last("todo").unwrap_or(0),
            }
        }
    }
}

/// The names of tests that failed, as far as the runner says them.
pub fn failures(runner: Runner, text: &str) -> Vec<String> {
    let text = without_colours(text);
    let name = |line: &'_ str| -> Option<String> {
        let name = match runner {
            Runner::Cargo => line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?,
            Runner::Node => line.strip_prefix("✖ ")?,
            Runner::Deno => line.split_once(" => ./")?.0,
            Runner::Bun => line.strip_prefix("(fail) ")?,
        };
        // Node's and Bun's end with how long it took.
        let end = name
            .rfind([' ', '(', '['])
            .filter(|_| name.ends_with("ms)") || name.ends_with("ms]"));
        let name = end.map_or(name, |end| name[..end].trim_end_matches(['(', '[', ' ']));
        (name != "failing tests:").then(|| name.to_owned())
    };
    let mut names: Vec<String> = text.lines().map(str::trim).filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// The last lines that say what went wrong, each with what follows it: for a report of which only the end may be read.
pub fn telling(text: &str) -> Vec<String> {
    const MARKS: [&str; 8] = [
        "✖",
        "(fail)",
        "FAILED",
        "rror",
        "Fatal",
        "Check failed",
        "panicked",
        "stopped: ",
    ];
    const BESIDE: [&str; 5] = ["✔", "ℹ", "at ", "(pass)", "ok "];
    const MOST: usize = 14;
    const LONGEST: usize = 160;
    let text = without_colours(text);
    let mut lines = Vec::new();
    let mut follows = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || BESIDE.iter().any(|beside| line.starts_with(beside)) {
            continue;
        }
        if MARKS.iter().any(|mark| line.contains(mark)) {
            follows = 4;
        }
        if follows > 0 {
            follows -= 1;
            lines.push(line.chars().take(LONGEST).collect());
        }
    }
    lines.split_off(lines.len().saturating_sub(MOST))
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; ...`
fn cargo_line(line: &str) -> Option<Counts> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let field = |word: &str| rest.split(';').find_map(|part| leading(part.trim(), word));
    Some(Counts {
        passed: field("passed")?,
        failed: field("failed")?,
        skipped: field("ignored")?,
    })
}

/// `error: 3 targets failed:`, cargo's last word with `--no-fail-fast`
fn failed_targets(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("error: ")?;
    leading(rest, "targets failed:").or_else(|| leading(rest, "target failed:"))
}

/// `FAILED | 3 passed (2 steps) | 1 failed | 4 ignored (12ms)`
fn deno_line(line: &str) -> Option<Counts> {
    let rest = line
        .strip_prefix("ok | ")
        .or_else(|| line.strip_prefix("FAILED | "))?;
    let field = |word: &str| {
        let part = |part: &str| leading(part.split('(').next().unwrap_or_default().trim(), word);
        rest.split('|').find_map(part)
    };
    Some(Counts {
        passed: field("passed")?,
        failed: field("failed")?,
        skipped: field("ignored").unwrap_or(0),
    })
}

/// The number in `12 word`.
fn leading(text: &str, word: &str) -> Option<u64> {
    let (number, rest) = text.split_once(' ')?;
    (rest == word).then(|| number.parse().ok())?
}

/// The number in `word 12`.
fn numbered(text: &str, word: &str) -> Option<u64> {
    let (first, number) = text.trim().split_once(' ')?;
    (first == word).then(|| number.parse().ok())?
}

/// Removes the escape sequences that runners colour their output with.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars
                .by_ref()
                .take_while(|c| !c.is_ascii_alphabetic())
                .for_each(drop);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn every_test_binary_of_a_cargo_run_counts() {
        let text = "running 2 tests\ntest a ... ok\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 3 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(count(Runner::Cargo, text), counts(5, 1, 4));
    }

    #[test]
    fn a_test_binary_that_crashed_counts_beside_one_that_failed() {
        let text = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            error: 3 targets failed:\n    `-p a --lib`\n    `-p b --test c`\n    `-p d --doc`\n";
        assert_eq!(count(Runner::Cargo, text), counts(5, 6, 0));
        assert_eq!(
            count(Runner::Cargo, "error: 1 target failed:\n"),
            counts(0, 1, 0)
        );
    }

    #[test]
    fn both_reporters_of_node_are_read() {
        let tap = "ok 1 - x\n# tests 4\n# suites 0\n# pass 1\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";
        assert_eq!(count(Runner::Node, tap), counts(1, 2, 1));
        let spec = "\u{1b}[34mℹ tests 4\u{1b}[39m\n\u{1b}[34mℹ pass 4\u{1b}[39m\n\u{1b}[34mℹ fail 0\u{1b}[39m\n";
        assert_eq!(count(Runner::Node, spec), counts(4, 0, 0));
    }

    #[test]
    fn failed_tests_are_named_once() {
        let named = |runner, text| failures(runner, text).join(", ");
        let cargo = "test a::b ... FAILED\ntest c ... ok\nfailures:\n    a::b\n";
        assert_eq!(named(Runner::Cargo, cargo), "a::b");
        let node = "✔ good (1ms)\n✖ it (has) a name (12.5ms)\n✖ failing tests:\n✖ it (has) a name (12.5ms)\n";
        assert_eq!(named(Runner::Node, node), "it (has) a name");
        let deno = "x ... FAILED (1s)\n\nx, and y => ./t/a.test.ts:39:1\nerror: E\n\n FAILURES \n\nx, and y => ./t/a.test.ts:39:1\n";
        assert_eq!(named(Runner::Deno, deno), "x, and y");
        assert_eq!(
            named(Runner::Bun, "(fail) z [8.00ms]\n(pass) q [1.00ms]\n"),
            "z"
        );
    }

    #[test]
    fn a_report_tells_what_went_wrong_and_what_follows_it() {
        let text = "✔ good (1ms)\n✖ failing tests:\n\n✖ bad (2ms)\n  AssertionError: not equal\n\n  196 !== 100\n\n      at file:///x.ts:3:1\n";
        let bad = [
            "✖ failing tests:",
            "✖ bad (2ms)",
            "AssertionError: not equal",
            "196 !== 100",
        ];
        assert_eq!(telling(text), bad);
        assert_eq!(
            telling("said by a test\n# Fatal error in x\n# Check failed: y\n#\n"),
            ["# Fatal error in x", "# Check failed: y", "#"]
        );
        assert!(telling(&"Error: z\n".repeat(100)).len() < 20);
    }

    #[test]
    fn what_a_test_prints_is_not_taken_for_the_summary() {
        let text = "# pass 100\nℹ fail 7\nℹ pass 2\nℹ fail 0\n";
        assert_eq!(count(Runner::Node, text), counts(2, 0, 0));
    }

    #[test]
    fn denos_steps_are_not_counted_as_tests() {
        assert_eq!(
            count(
                Runner::Deno,
                "FAILED | 3 passed (2 steps) | 1 failed | 4 ignored (12ms)\n"
            ),
            counts(3, 1, 4)
        );
        assert_eq!(
            count(Runner::Deno, "ok | 3 passed | 0 failed (1s)\n"),
            counts(3, 0, 0)
        );
    }

    #[test]
    fn buns_summary_is_read() {
        assert_eq!(
            count(
                Runner::Bun,
                " 5 pass\n 1 skip\n 2 fail\n 12 expect() calls\nRan 8 tests across 2 files.\n"
            ),
            counts(5, 2, 1)
        );
        assert_eq!(
            count(Runner::Bun, " 5 pass\n 0 fail\n 1 error\n"),
            counts(5, 1, 0)
        );
    }

    #[test]
    fn a_crash_without_a_counted_failure_is_a_failure() {
        assert_eq!(counts(5, 0, 0).settle(false), counts(5, 1, 0));
        assert_eq!(counts(5, 2, 0).settle(false), counts(5, 2, 0));
        assert_eq!(counts(5, 0, 0).settle(true), counts(5, 0, 0));
    }

    #[test]
    fn a_run_of_nothing_is_a_failure() {
        assert_eq!(count(Runner::Node, "").settle(true), counts(0, 1, 0));
        assert_eq!(counts(0, 0, 9).settle(true), counts(0, 1, 9));
        assert_eq!(counts(0, 0, 0).settle_part(true), counts(0, 1, 0));
        assert_eq!(counts(0, 0, 9).settle_part(true), counts(0, 0, 9));
        assert_eq!(counts(0, 0, 9).settle_part(false), counts(0, 1, 9));
    }
}
