//! What is promised of names where a process connects that can inherit nothing.
//!
//! As in `processes.rs`, a test that needs a second process runs itself again in one.
#![cfg(all(target_os = "linux", not(miri)))]

use std::fs::{File, FileTimes, read_dir, symlink_metadata};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use knit_shm::pass::{DescriptorListener, DescriptorSocket, Inbox, bequeath, inherited, sweep};
use knit_shm::{Region, ShmError};

const PEER: &str = "KNIT_SHM_TEST_PEER";
/// No promise about time: only so that a lost message fails a test instead of hanging it.
const LONG: Duration = Duration::from_secs(30);

fn again(test: &str, peer: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(PEER, peer)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn filled(value: u32) -> Region {
    let region = Region::anonymous(8192).unwrap();
    region.write(0, &value).unwrap();
    region
}

fn exists(path: &Path) -> bool {
    symlink_metadata(path).is_ok()
}

#[test]
fn memory_crosses_both_ways_through_a_name() {
    if let Some(path) = std::env::var_os(PEER) {
        let mut inbox = Inbox::new(DescriptorSocket::connect(Path::new(&path)).unwrap());
        let got = inbox.take(9, Some(LONG)).unwrap();
        got.write(4, &1234_u32).unwrap();
        return;
    }
    let listener = DescriptorListener::new("test").unwrap();
    let path = listener.path().to_owned();
    let mut child = again("memory_crosses_both_ways_through_a_name", &path)
        .spawn()
        .unwrap();
    let socket = listener.accept(LONG).unwrap();
    assert!(!exists(&path), "the name is gone when one has connected");
    let region = filled(99);
    socket.send(9, region.fd().unwrap()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(region.read::<u32>(4), Ok(1234));
}

#[test]
fn a_name_is_private_and_random_and_goes_with_its_listener() {
    let [one, other] = [(); 2].map(|()| DescriptorListener::new("test").unwrap());
    assert_ne!(one.path(), other.path());
    let name = one.path().file_name().unwrap().to_str().unwrap();
    let digits = name.strip_prefix("test-").unwrap().strip_suffix(".knit");
    assert_eq!(digits.map(str::len), Some(32));
    let meta = symlink_metadata(one.path()).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.mode() & 0o777, 0o600);
    assert_eq!(
        one.accept(Duration::from_millis(5)).err(),
        Some(ShmError::TimedOut)
    );
    let path = one.path().to_owned();
    drop(one);
    assert!(!exists(&path));
    assert_eq!(
        DescriptorSocket::connect(&path).unwrap_err().code(),
        "SHM_OS"
    );
}

#[test]
fn what_cannot_begin_a_name_is_refused() {
    let long = "x".repeat(31);
    for prefix in ["", ".hidden", "a/b", "a b", "ä", "nul\0", long.as_str()] {
        let error = DescriptorListener::new(prefix).unwrap_err();
        assert_eq!(error.code(), "SHM_BAD_NAME", "{prefix:?}");
    }
    assert!(DescriptorListener::new(&long[1..]).is_ok());
}

/// A name as a process leaves it that is killed.
fn stale(name: &str) -> std::path::PathBuf {
    let path = Path::new("/dev/shm").join(format!("{name}-{}.knit", std::process::id()));
    drop(UnixListener::bind(&path).unwrap());
    // A process that another test starts meanwhile has the listener, too, until it becomes its program.
    let listens = || {
        let answer = UnixDatagram::unbound().unwrap().connect(&path);
        answer.unwrap_err().kind() != ErrorKind::ConnectionRefused
    };
    let began = Instant::now();
    while listens() {
        assert!(began.elapsed() < LONG);
        std::thread::yield_now();
    }
    path
}

/// As if it were so old.
fn age(path: &Path, by: Duration) {
    let time = rustix::fs::Timespec::try_from(
        (SystemTime::now() - by)
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap(),
    )
    .unwrap();
    let times = rustix::fs::Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty()).unwrap();
}

#[test]
fn a_name_that_leads_nowhere_is_removed_by_who_tries_it() {
    let path = stale("tried");
    let error = DescriptorSocket::connect(&path).unwrap_err();
    assert_eq!(error, ShmError::PeerGone);
    assert!(!exists(&path));
}

#[test]
fn the_next_listener_removes_names_that_lead_nowhere_and_no_others() {
    let old = Duration::from_secs(60);
    let gone = stale("swept");
    age(&gone, old);
    let living = DescriptorListener::new("living").unwrap();
    age(living.path(), old);
    let fresh = stale("fresh");
    let file = Path::new("/dev/shm").join(format!("file-{}.knit", std::process::id()));
    File::create(&file)
        .unwrap()
        .set_times(FileTimes::new().set_modified(SystemTime::now() - old))
        .unwrap();
    age(&fresh, Duration::ZERO);
    let _next = DescriptorListener::new("next").unwrap();
    assert!(!exists(&gone), "of a process that is gone");
    assert!(exists(living.path()), "of a living one");
    assert!(exists(&fresh), "perhaps about to be listened at");
    assert!(exists(&file), "somebody's file");
    // Whoever was looking, it still serves.
    let socket = DescriptorSocket::connect(living.path()).unwrap();
    let region = filled(7);
    let served = living.accept(LONG).unwrap();
    served.send(1, region.fd().unwrap()).unwrap();
    let mut inbox = Inbox::new(socket);
    assert_eq!(inbox.take(1, Some(LONG)).unwrap().read::<u32>(0), Ok(7));
    std::fs::remove_file(&file).unwrap();
    age(&fresh, old);
    sweep();
    assert!(!exists(&fresh));
}

#[test]
fn a_socket_that_is_handed_on_is_found_again() {
    if let Some(number) = std::env::var_os(PEER) {
        let text = number.into_string().unwrap();
        let (number, inode) = text.split_once(' ').unwrap();
        let heirloom = knit_shm::pass::Heirloom {
            number: number.parse().unwrap(),
            inode: inode.parse().unwrap(),
        };
        let socket = inherited(heirloom).unwrap();
        socket.send(3, filled(5).fd().unwrap()).unwrap();
        return;
    }
    let (ours, theirs) = DescriptorSocket::pair().unwrap();
    let theirs = DescriptorSocket::from_fd(theirs).unwrap();
    let heirloom = bequeath(&theirs).unwrap();
    drop(theirs);
    let word = format!("{} {}", heirloom.number, heirloom.inode);
    let status = again(
        "a_socket_that_is_handed_on_is_found_again",
        Path::new(&word),
    )
    .status();
    assert!(status.unwrap().success());
    let (number, fd) = ours.receive(Some(LONG)).unwrap();
    let region = Region::attach(fd.as_fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!((number, region.read::<u32>(0)), (3, Ok(5)));
}

#[test]
fn a_name_that_is_dropped_at_random_leaves_nothing() {
    for _ in 0..20 {
        drop(DescriptorListener::new("dropped").unwrap());
    }
    let left = read_dir("/dev/shm").unwrap().flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("dropped-"));
    assert_eq!(left.count(), 0);
}
