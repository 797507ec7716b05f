//! Running other programs: shown before they start, and either required to succeed or watched.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::error::{Error, Result};

mod tree;

/// A command line as a person would type it.
pub fn line(command: &Command) -> String {
    let quote = |word: &OsStr| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quote)
        .collect::<Vec<_>>()
        .join(" ")
}

fn start_error(command: &Command, source: std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    let hint = match program.as_str() {
        "npm" => {
            "\nnpm comes with Node.js (https://nodejs.org); any version that npm supports will do."
        }
        _ => "",
    };
    Error::Start {
        program,
        hint,
        source,
    }
}

/// Runs a program with our own input and output and returns how it ended.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    eprintln!("$ {}", line(command));
    command.status().map_err(|e| start_error(command, e))
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        line: line(command),
        status: status.to_string(),
    })
}

/// Runs a program that must succeed, quietly, and returns what it wrote to standard output.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| start_error(command, e))?;
    if !output.status.success() {
        return Err(Error::Failed {
            line: line(command),
            status: output.status.to_string(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a watched program wrote and how it ended.
pub struct Watched {
    /// Both streams; each stream's lines are in order.
    pub text: String,
    /// How it ended.
    pub status: ExitStatus,
}

/// How long a watched program may run before it is taken to hang.
pub const HANGS: Duration = Duration::from_secs(15 * 60);

/// Runs a program, shows what it writes as it writes it, and keeps a copy. One that runs longer
/// than `limit` is ended with all that it started, so that the steps after it are still run.
pub fn watch(command: &mut Command, limit: Duration) -> Result<Watched> {
    eprintln!("$ {}", line(command));
    follow(command, limit, std::io::stdout(), std::io::stderr())
}

/// As [`watch`], but shows all of it at the end and at once: for programs of which several run at the same time.
pub fn watch_aside(command: &mut Command, limit: Duration) -> Result<Watched> {
    let watched = follow(command, limit, std::io::sink(), std::io::sink())?;
    let mut stdout = std::io::stdout().lock();
    // A closed output of ours must not lose the counts.
    let _ = write!(stdout, "$ {}\n{}", line(command), watched.text);
    Ok(watched)
}

fn follow(
    command: &mut Command,
    limit: Duration,
    to_out: impl Write,
    to_err: impl Write + Send,
) -> Result<Watched> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| start_error(command, e))?;
    let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
    let stderr = child.stderr.take().expect("stderr was asked to be a pipe");
    let id = child.id();
    let (done, ended) = mpsc::channel::<()>();
    // Two readers: a program that fills one pipe while we wait on the other would never end.
    let (out, err, stopped) = std::thread::scope(|scope| {
        let err = scope.spawn(|| copy(stderr, to_err));
        let guard = scope.spawn(move || {
            let late = ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            // The child is not waited for before this thread ends: its number is still its own.
            late && tree::end(id)
        });
        let out = copy(stdout, to_out);
        let err = err.join().expect("the copier does not panic");
        drop(done);
        (out, err, guard.join().expect("the guard does not panic"))
    });
    let status = child.wait().map_err(|e| start_error(command, e))?;
    let mut text = out + &err;
    if stopped {
        let note = format!("stopped: still running after {} s\n", limit.as_secs());
        eprint!("{note}");
        text += &note;
    }
    Ok(Watched { text, status })
}

/// Copies lines until the pipe ends; a line is bytes up to a newline, whatever they hold.
fn copy(from: impl Read, mut to: impl Write) -> String {
    let mut from = BufReader::new(from);
    let mut text = String::new();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        // A closed output of ours must not lose the counts.
        let _ = to.write_all(&line);
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_pasted_into_a_shell() {
        let mut command = Command::new("npm");
        command.args(["run", "it's here", ""]);
        assert_eq!(line(&command), r"npm run 'it'\''s here' ''");
    }

    #[test]
    fn watching_keeps_both_streams_and_the_status() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let watched = watch(&mut command, HANGS).unwrap();
        assert!(watched.text.contains("out\n") && watched.text.contains("err\n"));
        assert_eq!(watched.status.code(), Some(3));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_with_what_it_started() {
        let mut command = Command::new("sh");
        // The grandchild holds both pipes open: while it lives, watching cannot end.
        command.args(["-c", "echo started; sleep 1000 & wait"]);
        let watched = watch(&mut command, Duration::from_millis(300)).unwrap();
        assert!(!watched.status.success());
        assert!(watched.text.contains("stopped: still running"));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_that_names_it() {
        let error = run(&mut Command::new("knit-no-such-program")).unwrap_err();
        assert!(error.to_string().contains("knit-no-such-program"));
    }
}
