//! One file per contestant: how its sending and receiving ends are used, at their best.
//!
//! | file | between threads | between processes |
//! |---|---|---|
//! | `knit_frame`, `knit_stream` | yes | yes, the same code over the same memory |
//! | `rtrb`, `crossbeam`, `kanal` | yes | |
//! | `ipc_channel`, `iceoryx2` | | yes |

pub mod crossbeam;
#[cfg(unix)]
pub mod iceoryx2;
#[cfg(unix)]
pub mod ipc_channel;
pub mod kanal;
pub mod knit_frame;
pub mod knit_stream;
#[cfg(unix)]
pub mod peer;
pub mod rtrb;
#[cfg(unix)]
pub mod shared;

use crate::message::{End, Receive, Send};

/// A contestant between two threads.
pub trait Threads {
    /// Its name in the report.
    const NAME: &'static str;
    /// Its sending end.
    type Sender: Send + core::marker::Send + 'static;
    /// Its receiving end.
    type Receiver: Receive + core::marker::Send + 'static;

    /// One pipe.
    fn pipe() -> (Self::Sender, Self::Receiver);
}

/// A pipe each way, as its two ends.
pub fn ends<P: Threads>() -> [End<P::Sender, P::Receiver>; 2] {
    let (here, there) = (P::pipe(), P::pipe());
    [
        End {
            sender: here.0,
            receiver: there.1,
        },
        End {
            sender: there.0,
            receiver: here.1,
        },
    ]
}

/// A contestant between two processes. The other one is this very program, started with [`peer::VARIABLE`] set.
#[cfg(unix)]
pub trait Processes {
    /// Its name in the report and in [`peer::VARIABLE`].
    const NAME: &'static str;
    /// Its sending end.
    type Sender: Send;
    /// Its receiving end.
    type Receiver: Receive;

    /// Starts the other process and connects to it.
    fn start() -> (peer::Peer, End<Self::Sender, Self::Receiver>);

    /// The other process's end; `word` is what `start` gave it on the command line, besides the name.
    fn connect(word: &str) -> End<Self::Sender, Self::Receiver>;
}
