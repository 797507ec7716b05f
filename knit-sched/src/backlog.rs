//! Frames that found no room, waiting in private memory in the form in which they will travel.
//!
//! A queue of bytes in chunks: appended at the end, taken from the front, a chunk freed when its last frame is gone, so that a
//! million waiting calls cost their bytes and nothing per call.

use std::collections::VecDeque;

use crate::frames::{Frame, frame_at};

/// Bytes of a chunk, unless one frame is larger.
const CHUNK: usize = 256 * 1024;

/// First in, first out; the frames lie one after the other as in a submission buffer.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    chunks: VecDeque<Vec<u8>>,
    /// Where the first chunk's first frame starts.
    front: usize,
    frames: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.frames
    }

    /// Appends a frame, padding included.
    pub(crate) fn push(&mut self, frame: &Frame<'_>) {
        let fits = self
            .chunks
            .back()
            .is_some_and(|chunk| chunk.len() + frame.padded_len() <= CHUNK);
        if !fits {
            self.chunks
                .push_back(Vec::with_capacity(CHUNK.max(frame.padded_len())));
        }
        let chunk = self
            .chunks
            .back_mut()
            .expect("one was just pushed if there was none");
        let end = chunk.len() + frame.padded_len();
        chunk.extend_from_slice(frame.bytes());
        chunk.resize(end, 0);
        self.frames += 1;
    }

    /// Puts the frames of another before its own.
    pub(crate) fn prepend(&mut self, mut earlier: Self) {
        if let Some(first) = self.chunks.front_mut() {
            first.drain(..self.front);
        }
        self.front = earlier.front;
        self.frames += earlier.frames;
        earlier.chunks.append(&mut self.chunks);
        self.chunks = earlier.chunks;
    }

    /// Hands the frames over from the front for as long as `place` takes them, and tells how many it took.
    pub(crate) fn drain<E>(
        &mut self,
        mut place: impl FnMut(&Frame<'_>) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let mut moved = 0;
        while let Some(chunk) = self.chunks.front() {
            if self.front == chunk.len() {
                self.chunks.pop_front();
                self.front = 0;
                continue;
            }
            let frame =
                frame_at(chunk, self.front).expect("frames were whole when they were pushed");
            if !place(&frame)? {
                break;
            }
            self.front += frame.padded_len();
            self.frames -= 1;
            moved += 1;
        }
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::encode;

    #[test]
    fn frames_leave_in_the_order_they_came_in_whatever_their_size() {
        let mut backlog = Backlog::default();
        for call in 0..20_000_u32 {
            let bytes = encode(1, call, &vec![call as u8; (call as usize * 7) % 900]);
            backlog.push(&frame_at(&bytes, 0).unwrap());
        }
        let mut next = 0;
        while !backlog.is_empty() {
            let mut allowance = 333;
            backlog
                .drain(|frame| {
                    if allowance == 0 {
                        return Ok::<_, ()>(false);
                    }
                    allowance -= 1;
                    assert_eq!(frame.header().call, next);
                    assert_eq!(frame.payload(), vec![next as u8; (next as usize * 7) % 900]);
                    next += 1;
                    Ok(true)
                })
                .unwrap();
        }
        assert_eq!(next, 20_000);
    }

    #[test]
    fn what_is_put_before_leaves_before() {
        let frames = |calls: std::ops::Range<u32>| {
            let mut backlog = Backlog::default();
            for call in calls {
                backlog.push(&frame_at(&encode(1, call, &[0; 500]), 0).unwrap());
            }
            backlog
        };
        let leave = |backlog: &mut Backlog, count: u32| {
            let mut calls = Vec::new();
            let take = |frame: &Frame<'_>| {
                let takes = (calls.len() as u32) < count;
                if takes {
                    calls.push(frame.header().call);
                }
                Ok::<_, ()>(takes)
            };
            backlog.drain(take).unwrap();
            calls
        };
        let mut backlog = frames(1000..3000);
        assert_eq!(leave(&mut backlog, 700), Vec::from_iter(1000..1700));
        let mut earlier = frames(0..900);
        assert_eq!(leave(&mut earlier, 10), Vec::from_iter(0..10));
        backlog.prepend(earlier);
        backlog.prepend(Backlog::default());
        assert_eq!(backlog.len(), 890 + 1300);
        assert_eq!(
            leave(&mut backlog, 900),
            Vec::from_iter((10..900).chain(1700..1710))
        );
        assert_eq!(leave(&mut backlog, u32::MAX), Vec::from_iter(1710..3000));
        let mut empty = Backlog::default();
        empty.prepend(frames(0..3));
        assert_eq!(leave(&mut empty, 9), [0, 1, 2]);
    }

    #[test]
    fn an_emptied_backlog_keeps_no_memory() {
        let mut backlog = Backlog::default();
        let bytes = encode(1, 0, &[0; 1000]);
        for _ in 0..5000 {
            backlog.push(&frame_at(&bytes, 0).unwrap());
        }
        assert_eq!(backlog.drain(|_| Ok::<_, ()>(true)), Ok(5000));
        assert!(backlog.chunks.is_empty());
        assert_eq!(backlog.len(), 0);
    }
}
