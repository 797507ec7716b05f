//! What worker processes write to their standard error: passed on to the host's own, the last lines remembered.
//!
//! Lines stay whole: of a process that has written more than is read at once, what follows the last end of a line waits for the rest. So lines of several
//! processes do not mix, and a prompt without an end is seen at once.
//!
//! Nothing waits here. What the host's standard error does not take stays in a buffer; when that is full, pipes are not read until there is room,
//! and their writers wait as they would for a terminal that does not read.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread};

/// Bytes that are remembered of each process.
const TAIL: usize = 4096;
/// Lines of them that are told.
const LINES: usize = 20;
/// Bytes that may wait for the host's standard error.
const MOST: usize = 64 * 1024;
/// Bytes that a pipe which polls as writable takes without waiting (`PIPE_BUF`).
const PIECE: usize = 4096;

/// One process's standard error.
pub(super) struct Stderr {
    /// None once it was at its end.
    pipe: Option<OwnedFd>,
    tail: VecDeque<u8>,
    /// Something before the tail was forgotten.
    cut: bool,
    /// Whether it is passed on.
    shown: bool,
    /// The beginning of a line of which more is in the pipe; empty if it is not passed on.
    line: Vec<u8>,
    /// Bytes that were read so far.
    taken: usize,
}

impl Stderr {
    pub(super) fn new(pipe: OwnedFd, shown: bool) -> Self {
        // It fails on no open descriptor.
        let _ = fcntl_setfl(&pipe, OFlags::NONBLOCK);
        Self {
            pipe: Some(pipe),
            tail: VecDeque::new(),
            cut: false,
            shown,
            line: Vec::new(),
            taken: 0,
        }
    }

    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Lets go of the pipe, not of what was remembered.
    pub(super) fn close(&mut self) {
        self.pipe = None;
    }

    /// Takes what is there, at most a buffer full. False if nothing is and the pipe is at its end.
    pub(super) fn read(&mut self, out: &mut Forward) -> bool {
        let Some(pipe) = &self.pipe else {
            return false;
        };
        let mut buffer = [0; 16 * 1024];
        match rustix::io::read(pipe, &mut buffer) {
            Ok(n) if n > 0 => {
                // If that cannot be told, there is none.
                let more = ioctl_fionread(pipe).is_ok_and(|left| left > 0);
                self.remember(&buffer[..n]);
                self.taken += n;
                if self.shown {
                    self.pass_on(&buffer[..n], more, out);
                }
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Ok(_) | Err(_) => {
                out.waiting.extend(self.line.drain(..));
                false
            }
        }
    }

    /// Passes on what was read: whole lines, or all of it if there is no `more` or a line is very long.
    fn pass_on(&mut self, bytes: &[u8], more: bool, out: &mut Forward) {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = match end {
            _ if !more => bytes.len(),
            Some(end) => end + 1,
            None if self.line.len() < TAIL => 0,
            None => bytes.len(),
        };
        if whole > 0 {
            out.waiting.extend(self.line.drain(..));
        }
        out.waiting.extend(&bytes[..whole]);
        self.line.extend(&bytes[whole..]);
    }

    /// Takes all that the process has left behind. Another that it has started may go on writing: no more than a pipe holds is taken.
    pub(super) fn drain(&mut self, out: &mut Forward) -> bool {
        let before = self.taken;
        loop {
            let had = self.taken;
            if !self.read(out) {
                return false;
            }
            if self.taken == had || self.taken - before > MOST {
                return true;
            }
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.tail.extend(bytes);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.cut |= excess > 0;
        self.tail.drain(..excess);
    }

    /// The last lines.
    pub(super) fn last_lines(&self) -> String {
        let bytes: Vec<u8> = self.tail.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        // The first one is a part of a line.
        let whole = match text.split_once('\n') {
            Some((_, rest)) if self.cut => rest,
            _ => &text,
        };
        let lines: Vec<&str> = whole.trim_end().lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// What is on its way to the host's standard error.
#[derive(Default)]
pub(super) struct Forward {
    waiting: VecDeque<u8>,
}

impl Forward {
    /// Whether the host's standard error must be polled.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether pipes may be read.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MOST
    }

    /// Writes what can be written without waiting for long.
    pub(super) fn flush(&mut self) {
        let moment = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        let own = rustix::stdio::stderr();
        while self.waits() {
            let ready = poll(&mut [PollFd::new(&own, PollFlags::OUT)], Some(&moment));
            if ready != Ok(1) {
                return;
            }
            self.write();
        }
    }

    /// Writes a piece, after standard error has polled as writable.
    pub(super) fn write(&mut self) {
        let all = &*self.waiting.make_contiguous();
        let piece = &all[..all.len().min(PIECE)];
        // The host itself may write between two pieces.
        let end = piece.iter().rposition(|byte| *byte == b'\n');
        let piece = &piece[..end.map_or(piece.len(), |end| end + 1)];
        match rustix::io::write(rustix::stdio::stderr(), piece) {
            Ok(n) => drop(self.waiting.drain(..n)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Closed, or nobody reads it: nobody wants to know.
            Err(_) => self.waiting.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let shown = heard(text, true);
        assert_eq!(shown, heard(text, false));
        shown
    }

    fn heard(text: &str, shown: bool) -> String {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut stderr = Stderr::new(reader, shown);
        let mut out = Forward::default();
        for piece in text.as_bytes().chunks(1000) {
            rustix::io::write(&writer, piece).unwrap();
            assert!(stderr.drain(&mut out));
        }
        drop(writer);
        assert!(!stderr.drain(&mut out));
        assert_eq!(out.waiting.len(), if shown { text.len() } else { 0 });
        stderr.last_lines()
    }

    #[test]
    fn lines_of_two_processes_do_not_mix_however_much_they_write() {
        let mut out = Forward::default();
        let mut heard = Vec::new();
        let mut processes: Vec<_> = (0..2)
            .map(|n| {
                let (reader, writer) = rustix::pipe::pipe().unwrap();
                let line = format!("{n} {}\n", "x".repeat(1000));
                for _ in 0..60 {
                    rustix::io::write(&writer, line.as_bytes()).unwrap();
                }
                rustix::io::write(&writer, b"a prompt").unwrap();
                (Stderr::new(reader, true), line, writer)
            })
            .collect();
        while processes.iter().any(|(stderr, ..)| stderr.taken < 60_000) {
            for (stderr, ..) in &mut processes {
                assert!(stderr.read(&mut out));
                heard.extend(out.waiting.drain(..));
            }
        }
        let text = String::from_utf8(heard).unwrap();
        for (_, line, _) in &processes {
            assert_eq!(text.matches(line.as_str()).count(), 60);
        }
        // Nothing follows it for now.
        assert_eq!(text.matches("a prompt").count(), 2);
    }

    #[test]
    fn a_line_that_is_cut_off_by_the_end_is_told() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let text = format!("{}\nno end", "x".repeat(16 * 1024 - 4));
        rustix::io::write(&writer, text.as_bytes()).unwrap();
        drop(writer);
        let (mut stderr, mut out) = (Stderr::new(reader, true), Forward::default());
        assert!(stderr.read(&mut out));
        assert_eq!(out.waiting.len(), 16 * 1024 - 3);
        assert!(!stderr.drain(&mut out));
        assert_eq!(out.waiting.len(), text.len());
    }

    #[test]
    fn a_few_lines_are_told_as_they_are() {
        assert_eq!(said(""), "");
        assert_eq!(said("one\ntwo\n\n"), "one\ntwo");
        assert_eq!(said("without an end"), "without an end");
    }

    #[test]
    fn of_many_lines_the_last_are_told_whole() {
        let lines: Vec<String> = (0..10_000).map(|n| format!("line {n}")).collect();
        assert_eq!(said(&lines.join("\n")), lines[9_980..].join("\n"));
        let long = "x".repeat(100_000);
        assert_eq!(said(&long), "x".repeat(TAIL));
        assert_eq!(said(&format!("{long}\nend\n")), "end");
    }
}
