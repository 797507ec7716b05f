//! ipc-channel: a socket per channel; it waits in the kernel, in its own way.

use super::Processes;
use super::peer::Peer;
use crate::message::{End, Message, Receive, Send};
use ipc_channel::ipc::{
    IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel,
};
use std::process::Stdio;

/// Between two processes.
pub struct IpcChannel;

/// The first process's end of both channels, as the second one sends it.
type Handover = (IpcBytesSender, IpcBytesReceiver);

impl Processes for IpcChannel {
    const NAME: &'static str = "ipc-channel";
    type Sender = IpcBytesSender;
    type Receiver = IpcBytesReceiver;

    fn start() -> (Peer, End<IpcBytesSender, IpcBytesReceiver>) {
        let (server, name) = IpcOneShotServer::<Handover>::new().expect("a socket");
        let peer = Peer::start(Self::NAME, &name, Stdio::null());
        let (_, (sender, receiver)) = server.accept().expect("the other side connects");
        (peer, End { sender, receiver })
    }

    fn connect(word: &str) -> End<IpcBytesSender, IpcBytesReceiver> {
        let first =
            IpcSender::<Handover>::connect(word.to_owned()).expect("the first process waits");
        let (to_us, receiver) = bytes_channel().expect("a channel");
        let (sender, from_us) = bytes_channel().expect("a channel");
        first
            .send((to_us, from_us))
            .expect("the first process waits");
        End { sender, receiver }
    }
}

impl Send for IpcBytesSender {
    fn send(&mut self, message: &Message) {
        IpcBytesSender::send(self, bytemuck::bytes_of(message)).expect("the other side is there");
    }
}

impl Receive for IpcBytesReceiver {
    fn receive(&mut self, mut on: impl FnMut(Message)) {
        let bytes = self.recv().expect("the other side is there");
        on(bytemuck::pod_read_unaligned(&bytes));
    }
}
