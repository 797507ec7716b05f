//! What the sandboxed copies of the test program do: each part asserts that it is held, and prints that it was.

#[path = "calls.rs"]
mod calls;

use std::ffi::CString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

pub fn run(role: &str, root: &Path) {
    let (part, argument) = role.split_once(' ').unwrap_or((role, "0"));
    let number: u32 = argument.parse().unwrap();
    match part {
        "calls" => calls::all(root),
        "files" => files(root),
        "process" => process(number),
        "ports" => ports(number as u16),
        "programs" => programs(root),
        "replace" => replace(),
        "covered" => covered(number == 1),
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_secs(60));
            println!("went on");
        }
        other => panic!("no part {other}"),
    }
}

/// A system call; the error number, or 0.
fn call(number: i64, arguments: [usize; 6]) -> i32 {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: every call here is expected to be denied before the kernel looks at its arguments; those that are pointers point to live memory.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result >= 0 {
        0
    } else {
        std::io::Error::last_os_error().raw_os_error().unwrap()
    }
}

fn text(path: &Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

fn denied<T>(what: &str, result: std::io::Result<T>) {
    match result.map(|_| ()).unwrap_err() {
        error
            if error.kind() == ErrorKind::PermissionDenied
                || error.kind() == ErrorKind::CrossesDevices => {}
        error => panic!("{what}: {error}"),
    }
}

fn files(root: &Path) {
    let outside = root.join("outside");
    denied("read", fs::read(root.join("secret.txt")));
    denied("a link", fs::read("link"));
    denied(".env", fs::read(".env"));
    denied("list", fs::read_dir(root));
    denied("make", fs::write(outside.join("native"), "x"));
    denied(
        "append",
        fs::OpenOptions::new()
            .append(true)
            .open(outside.join("there.txt")),
    );
    denied("remove", fs::remove_file(outside.join("there.txt")));
    denied("rename", fs::rename("sub/file", outside.join("moved")));
    denied("folder", fs::create_dir(outside.join("folder")));
    denied(
        "truncate",
        fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(outside.join("there.txt")),
    );
    let path = text(&outside.join("there.txt"));
    assert!(
        [libc::EPERM, libc::EACCES].contains(&call(
            libc::SYS_truncate,
            [path.as_ptr() as usize, 0, 0, 0, 0, 0]
        )),
        "truncate by name"
    );
    denied(
        "the host's environment",
        fs::read(format!(
            "/proc/{}/environ",
            std::os::unix::process::parent_id()
        )),
    );
    // What is allowed.
    assert_eq!(fs::read_to_string("allowed.txt").unwrap(), "allowed");
    fs::write("sub/new", "new").unwrap();
    assert_eq!(fs::read_to_string("sub/new").unwrap(), "new");
    fs::remove_file("sub/new").unwrap();
    assert!(fs::read_to_string("/proc/self/status").is_ok());
    println!("files held");
}

fn process(kept: u32) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .trim_start_matches(':')
            .trim()
            .to_owned()
    };
    assert_eq!(
        (field("NoNewPrivs"), field("Seccomp")),
        ("1".into(), "2".into())
    );
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        let left = u64::from_str_radix(&field(set), 16).unwrap();
        assert_eq!(left & !0x406, 0, "{set} {left:x}");
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    // The folder in /proc, which names itself; the kept one; and the one that lists them.
    let open: Vec<(u32, String)> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().to_str().unwrap().parse().unwrap(),
                fs::read_link(entry.path())
                    .map(|path| path.display().to_string())
                    .unwrap_or_default(),
            )
        })
        .filter(|(fd, path)| *fd > 2 && !path.starts_with("/proc/") && !path.starts_with("pipe:"))
        .collect();
    assert_eq!(
        open.iter().map(|(fd, _)| *fd).collect::<Vec<_>>(),
        [kept],
        "{open:?}"
    );
    let mut text = String::new();
    // SAFETY: the descriptor is open, as was just seen, and nobody else here owns it.
    fs::File::from(unsafe { OwnedFd::from_raw_fd(kept as i32) })
        .read_to_string(&mut text)
        .unwrap();
    assert!(
        text.contains("secret"),
        "what is handed over on purpose is there"
    );
    assert!(
        std::env::var_os("CARGO_MANIFEST_DIR").is_none(),
        "the environment is reduced"
    );
    println!("process held");
}

fn ports(allowed: u16) {
    use libc::*;
    TcpStream::connect(("127.0.0.1", allowed)).unwrap();
    denied(
        "another port",
        TcpStream::connect(("127.0.0.1", allowed ^ 1)),
    );
    denied("listening elsewhere", TcpListener::bind("127.0.0.1:0"));
    for (name, domain, kind, protocol) in [
        ("UDP", AF_INET, SOCK_DGRAM, 0),
        ("UDP over IPv6", AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        ("MPTCP", AF_INET, SOCK_STREAM, 262),
        ("SCTP", AF_INET, SOCK_STREAM, 132),
        ("raw", AF_INET, SOCK_RAW, 1),
        ("UNIX", AF_UNIX, SOCK_STREAM, 0),
        ("netlink", AF_NETLINK, SOCK_RAW, 0),
        ("packet", AF_PACKET, SOCK_RAW, 0),
    ] {
        assert_eq!(
            call(
                SYS_socket,
                [domain as usize, kind as usize, protocol, 0, 0, 0]
            ),
            EPERM,
            "{name}"
        );
    }
    // A connection without connect.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let fd = socket.as_raw_fd() as usize;
    assert_eq!(
        call(SYS_sendto, [fd, 0, 0, MSG_FASTOPEN as usize, 0, 0]),
        EPERM
    );
    assert_eq!(
        call(SYS_sendmsg, [fd, 0, MSG_FASTOPEN as usize, 0, 0, 0]),
        EPERM
    );
    println!("ports held");
}

fn programs(root: &Path) {
    let output = Command::new("cat").arg("allowed.txt").output().unwrap();
    assert_eq!(output.stdout, b"allowed");
    let output = Command::new("cat")
        .arg(root.join("secret.txt"))
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    denied("another program", Command::new("/bin/ls").output());
    denied("a shell", Command::new("/bin/sh").output());
    println!("programs held");
}

/// A program made in memory, put in place of this one.
fn replace() {
    let program = fs::read("/proc/self/exe").unwrap();
    let memory = rustix::fs::memfd_create("other", rustix::fs::MemfdFlags::empty()).unwrap();
    fs::write(format!("/proc/self/fd/{}", memory.as_raw_fd()), program).unwrap();
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    use std::os::unix::process::CommandExt;
    let error = Command::new(path)
        .args(["--exact", "the_attacker", "--nocapture", "--test-threads=1"])
        .env("KNIT_PERM_ROLE", "files")
        .exec();
    panic!("{error}");
}

fn covered(read_only: bool) {
    denied(".env", fs::read(".env"));
    denied(
        ".env, to write",
        fs::OpenOptions::new().write(true).open(".env"),
    );
    assert!(
        fs::rename(".env", "plain").is_err()
            && fs::remove_file(".env").is_err()
            && fs::hard_link(".env.1", "hard").is_err()
    );
    assert_eq!(
        fs::read(".git/config").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(fs::read_dir(".git").unwrap().count(), 0);
    assert!(fs::write(".git/hook", "x").is_err() && fs::rename(".git", "git").is_err());
    // The folder around a covered file: what covers it goes with it.
    if fs::rename("nested", "sub/nested").is_ok() {
        denied("moved with its folder", fs::read("sub/nested/.env"));
        fs::rename("sub/nested", "nested").unwrap();
    }
    // Where only writing is denied.
    assert_eq!(fs::read_to_string("nested/open").unwrap(), "open");
    if read_only {
        assert_eq!(
            fs::write("nested/open", "x").unwrap_err().kind(),
            ErrorKind::ReadOnlyFilesystem
        );
        assert_eq!(
            fs::write("sub/file", "x").unwrap_err().kind(),
            ErrorKind::ReadOnlyFilesystem
        );
        assert!(fs::write("nested/new", "x").is_err() && fs::remove_file("sub/file").is_err());
    }
    // Beside them.
    fs::write("new", "new").unwrap();
    assert_eq!(fs::read_to_string("new").unwrap(), "new");
    fs::remove_file("new").unwrap();
    fs::write("sub/new", "new").unwrap();
    fs::remove_file("sub/new").unwrap();
    for call in [
        libc::SYS_umount2,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
    ] {
        assert_eq!(self::call(call, [0; 6]), libc::EPERM);
    }
    println!("covered places held");
}
