//! What is promised of descriptors that are passed to other processes.
//!
//! As in `processes.rs`, a test that needs a second process runs itself again in one.
#![cfg(not(miri))]

use std::fs::File;
use std::io::{IoSlice, Write, stdin};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use knit_shm::pass::{DescriptorSocket, Heirloom, Inbox, Record, inherit, inherited};
use knit_shm::wait::shared;
use knit_shm::{Region, ShmError};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

const PEER: &str = "KNIT_SHM_TEST_PEER";
/// No promise about time: only so that a lost message fails a test instead of hanging it.
const LONG: Option<Duration> = Some(Duration::from_secs(30));
const NOW: Option<Duration> = Some(Duration::ZERO);

/// Tests that count this process's descriptors exclude those that open some.
static DESCRIPTORS: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    DESCRIPTORS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn spawn(test: &str, stdin: Stdio, peer: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PEER, peer)
        .stdin(stdin)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn fd(region: &Region) -> BorrowedFd<'_> {
    region.fd().unwrap()
}

fn filled(value: u32) -> Region {
    let region = Region::anonymous(8192).unwrap();
    region.write(4096, &value).unwrap();
    region
}

fn wait_for_change(word: &AtomicU32) {
    // Acquire, with the other process's Release: what it wrote before is here.
    while word.load(Ordering::Acquire) == 0 {
        assert_ne!(
            shared::wait(word, 0, LONG).unwrap(),
            knit_shm::wait::Outcome::TimedOut
        );
    }
}

/// Gets memory, answers in it, and passes back some of its own.
fn answer(socket: DescriptorSocket) {
    let socket_again = DescriptorSocket::from_fd(socket.as_fd().try_clone_to_owned().unwrap());
    let mut inbox = Inbox::new(socket);
    let got = inbox.take(9, LONG).unwrap();
    assert_eq!(got.read::<u32>(4096), Ok(99));
    let own = filled(1234);
    socket_again.unwrap().send(1, fd(&own)).unwrap();
    drop(own);
    let word = got.atomic_u32(0).unwrap();
    word.store(1, Ordering::Release);
    shared::wake(word, u32::MAX);
}

fn ask(socket: DescriptorSocket, mut child: Child) {
    let region = filled(99);
    socket.send(9, fd(&region)).unwrap();
    wait_for_change(region.atomic_u32(0).unwrap());
    assert!(child.wait().unwrap().success());
    // Its maker has ended.
    let made = Inbox::new(socket).take(1, LONG).unwrap();
    assert_eq!(made.read::<u32>(4096), Ok(1234));
}

#[test]
fn memory_crosses_both_ways_through_an_inherited_socket() {
    if std::env::var_os(PEER).is_some() {
        let fd = stdin().as_fd().try_clone_to_owned().unwrap();
        return answer(DescriptorSocket::from_fd(fd).unwrap());
    }
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let child = spawn(
        "memory_crosses_both_ways_through_an_inherited_socket",
        theirs.into(),
        "",
    );
    ask(ours, child);
}

#[test]
fn descriptors_are_found_by_number_in_any_order() {
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    for number in [7, 3, u32::MAX, 0] {
        ours.send(number, fd(&filled(number))).unwrap();
    }
    let mut inbox = Inbox::new(DescriptorSocket::from_fd(theirs).unwrap());
    for number in [u32::MAX, 7, 0] {
        let region = inbox.take(number, LONG).unwrap();
        assert_eq!(region.read::<u32>(4096), Ok(number));
    }
    assert_eq!(inbox.drain(), Ok(1));
    inbox.forget(3);
    assert_eq!(inbox.take(3, NOW).err(), Some(ShmError::TimedOut));
    drop(ours);
    assert_eq!(inbox.take(3, NOW).err(), Some(ShmError::PeerGone));
}

#[test]
fn a_sender_never_waits_for_a_receiver_that_does_not_read() {
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let region = filled(5);
    let mut sent = 0;
    let full = loop {
        match ours.send(sent, fd(&region)) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1_000_000);
    };
    assert_eq!(full, ShmError::SocketFull);
    let theirs = DescriptorSocket::from_fd(theirs).unwrap();
    for number in 0..sent {
        assert_eq!(theirs.receive(NOW).unwrap().0, number);
    }
    ours.send(1, fd(&region)).unwrap();
    drop(theirs);
    assert_eq!(ours.send(1, fd(&region)).err(), Some(ShmError::PeerGone));
}

/// Sends bytes and descriptors as they are.
fn raw(socket: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    let sent = sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    );
    assert_eq!(sent, Ok(bytes.len()));
}

fn record(magic: &[u8; 4], version: u32, number: u32, rest: u32) -> [u8; 16] {
    let mut record = [0; 16];
    record[..4].copy_from_slice(magic);
    for (i, word) in [version, number, rest].into_iter().enumerate() {
        record[4 + i * 4..8 + i * 4].copy_from_slice(&word.to_le_bytes());
    }
    record
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/dev/fd").unwrap().count()
}

#[test]
fn what_a_hostile_peer_sends_is_an_error_and_leaves_nothing_open() {
    let _alone = alone();
    let region = filled(1);
    let good = record(b"KNIT", 1, 1, 0);
    let cases: [(&str, &[u8], usize); 7] = [
        ("no descriptor", &good, 0),
        ("two descriptors", &good, 2),
        ("three descriptors", &good, 3),
        ("another magic", &record(b"TINK", 1, 1, 0), 1),
        ("another version", &record(b"KNIT", 2, 1, 0), 1),
        ("a word that must be 0", &record(b"KNIT", 1, 1, 1), 1),
        ("half a record", &good[..9], 1),
    ];
    for (what, bytes, count) in cases {
        let before = open_descriptors();
        let (theirs, ours) = UnixStream::pair().unwrap();
        let ours = DescriptorSocket::from_fd(OwnedFd::from(ours)).unwrap();
        raw(&theirs, bytes, &vec![fd(&region); count]);
        drop(theirs);
        let error = ours.receive(LONG).expect_err(what);
        assert_eq!(error.code(), "SHM_BAD_MESSAGE", "{what}");
        drop(ours);
        assert_eq!(open_descriptors(), before, "{what}");
    }
}

#[test]
fn a_record_in_two_pieces_is_one() {
    let _alone = alone();
    let (mut theirs, ours) = UnixStream::pair().unwrap();
    let ours = DescriptorSocket::from_fd(OwnedFd::from(ours)).unwrap();
    let region = filled(8);
    let bytes = record(b"KNIT", 1, 42, 0);
    raw(&theirs, &bytes[..5], &[fd(&region)]);
    let rest = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        theirs.write_all(&bytes[5..]).unwrap();
    });
    let (number, fd) = ours.receive(LONG).unwrap();
    rest.join().unwrap();
    assert_eq!(number, 42);
    assert_eq!(Region::attach(fd).unwrap().read::<u32>(4096), Ok(8));
}

#[test]
fn only_sealed_memory_is_taken_from_a_peer_that_is_not_trusted() {
    let _alone = alone();
    let file = tempfile::tempfile().unwrap();
    file.set_len(4096).unwrap();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let send = || ours.send(1, file.as_fd()).unwrap();
    send();
    let mut inbox = Inbox::new(DescriptorSocket::from_fd(theirs).unwrap());
    assert_eq!(inbox.take(1, LONG).err(), Some(ShmError::Unsealed));

    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    ours.send(1, file.as_fd()).unwrap();
    let mut inbox = Inbox::trusting(DescriptorSocket::from_fd(theirs).unwrap());
    assert_eq!(inbox.take(1, LONG).unwrap().len(), 4096);
}

#[test]
fn what_is_no_stream_socket_is_refused() {
    let _alone = alone();
    let datagram = UnixDatagram::unbound().unwrap();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for fd in [
        OwnedFd::from(File::open("/dev/null").unwrap()),
        datagram.into(),
        tcp.into(),
    ] {
        let error = DescriptorSocket::from_fd(fd).unwrap_err();
        assert_eq!(error.code(), "SHM_BAD_MESSAGE");
    }
}

#[test]
fn a_receiver_without_room_for_descriptors_says_so() {
    if std::env::var_os(PEER).is_some() {
        let socket = stdin().as_fd().try_clone_to_owned().unwrap();
        let socket = DescriptorSocket::from_fd(socket).unwrap();
        let mut limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        limits.current = Some(4);
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limits).unwrap();
        // Whatever is free below the limit is used up first.
        let mut used = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            used.push(file);
        }
        let error = socket.receive(LONG).unwrap_err();
        assert_eq!(error.code(), "SHM_BAD_MESSAGE");
        assert!(error.to_string().contains("descriptor"), "{error}");
        return;
    }
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    ours.send(1, fd(&filled(1))).unwrap();
    let mut child = spawn(
        "a_receiver_without_room_for_descriptors_says_so",
        theirs.into(),
        "",
    );
    assert!(child.wait().unwrap().success());
}

/// The heirloom of the parent, in a process that has one.
fn heirloom() -> Option<Heirloom> {
    let text = std::env::var(PEER).ok()?;
    let (number, inode) = text.split_once(' ').unwrap();
    Some(Heirloom {
        number: number.parse().unwrap(),
        inode: inode.parse().unwrap(),
    })
}

#[test]
fn a_program_finds_the_socket_that_it_inherits_and_hands_it_on_to_nobody() {
    if let Some(heirloom) = heirloom() {
        let other = Heirloom {
            inode: heirloom.inode ^ 1,
            ..heirloom
        };
        assert!(matches!(inherited(other), Err(ShmError::BadMessage { .. })));
        let socket = inherited(heirloom).unwrap();
        let (number, fd) = socket.receive(LONG).unwrap();
        assert_eq!(number, 7);
        socket.send(8, fd.as_fd()).unwrap();
        // Nothing but the standard streams and what lists them.
        let listed = Command::new("ls").arg("/proc/self/fd").output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let number = heirloom.number.to_string();
        assert!(listed.lines().all(|line| line != number), "{listed}");
        return;
    }
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let heirloom = inherit(&mut command, theirs).unwrap();
    let test = "a_program_finds_the_socket_that_it_inherits_and_hands_it_on_to_nobody";
    let mut child = command
        .args(["--exact", test, "--nocapture"])
        .env(PEER, format!("{} {}", heirloom.number, heirloom.inode))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    drop(command);
    let region = filled(5);
    ours.send(7, fd(&region)).unwrap();
    let (number, back) = ours.receive(LONG).unwrap();
    assert_eq!(number, 8);
    assert_eq!(Region::attach(back).unwrap().read::<u32>(4096).unwrap(), 5);
    assert!(child.wait().unwrap().success());
    // This process's own end of the child's is closed.
    assert!(matches!(ours.receive(LONG), Err(ShmError::PeerGone)));
}

#[test]
fn a_number_is_taken_back_in_order_and_without_a_descriptor() {
    let _alone = alone();
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let theirs = DescriptorSocket::from_fd(theirs).unwrap();
    let region = filled(1);
    ours.send(1, fd(&region)).unwrap();
    ours.forget(1).unwrap();
    ours.send(2, fd(&region)).unwrap();
    assert!(matches!(theirs.next(NOW), Ok(Record::Passed(1, _))));
    assert!(matches!(theirs.next(NOW), Ok(Record::Forgotten(1))));
    ours.forget(9).unwrap();
    assert_eq!(theirs.receive(NOW).unwrap().0, 2);
    assert!(matches!(theirs.receive(NOW), Err(ShmError::TimedOut)));
}
