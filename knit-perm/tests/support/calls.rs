//! System calls that no worker needs, made one by one: each must be answered as the plan says.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::{call, text};

pub fn all(root: &Path) {
    use libc::*;
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join("project/config.json")).unwrap()).unwrap();
    let host = config["parent"].as_u64().unwrap() as usize;
    let zeroes = [0_u8; 4096];
    let zero = zeroes.as_ptr() as usize;
    let outside = text(&root.join("outside/there.txt"));
    let path = outside.as_ptr() as usize;
    let inside = fs::File::open("package.json").unwrap();
    let fd = inside.as_raw_fd() as usize;
    let mode = fs::metadata("package.json").unwrap().permissions();
    let own = std::process::id() as usize;
    let none = [0; 6];
    let attempts: &[(&str, i64, [usize; 6], i32)] = &[
        ("a call of the future", 500, none, ENOSYS),
        (
            "io_uring_setup",
            SYS_io_uring_setup,
            [8, zero, 0, 0, 0, 0],
            ENOSYS,
        ),
        ("io_uring_enter", SYS_io_uring_enter, none, ENOSYS),
        ("io_uring_register", SYS_io_uring_register, none, ENOSYS),
        ("clone3", SYS_clone3, [zero, 88, 0, 0, 0, 0], ENOSYS),
        ("clone", SYS_clone, [SIGCHLD as usize, 0, 0, 0, 0, 0], EPERM),
        (
            "clone with a namespace",
            SYS_clone,
            [CLONE_NEWUSER as usize | SIGCHLD as usize, 0, 0, 0, 0, 0],
            EPERM,
        ),
        (
            "execveat",
            SYS_execveat,
            [fd, zero, 0, 0, AT_EMPTY_PATH as usize, 0],
            EPERM,
        ),
        (
            "unshare",
            SYS_unshare,
            [CLONE_NEWUSER as usize, 0, 0, 0, 0, 0],
            EPERM,
        ),
        ("setns", SYS_setns, none, EPERM),
        ("mount", SYS_mount, [zero, zero, zero, 0, 0, 0], EPERM),
        (
            "pivot_root",
            SYS_pivot_root,
            [zero, zero, 0, 0, 0, 0],
            EPERM,
        ),
        ("chroot", SYS_chroot, [zero, 0, 0, 0, 0, 0], EPERM),
        ("ptrace", SYS_ptrace, [16, host, 0, 0, 0, 0], EPERM),
        (
            "process_vm_readv",
            SYS_process_vm_readv,
            [host, 0, 0, 0, 0, 0],
            EPERM,
        ),
        (
            "process_vm_writev",
            SYS_process_vm_writev,
            [host, 0, 0, 0, 0, 0],
            EPERM,
        ),
        ("kill", SYS_kill, [host, 0, 0, 0, 0, 0], EPERM),
        ("tgkill", SYS_tgkill, [host, host, 0, 0, 0, 0], EPERM),
        ("tkill", SYS_tkill, [host, 0, 0, 0, 0, 0], EPERM),
        (
            "prlimit64",
            SYS_prlimit64,
            [host, RLIMIT_NOFILE as usize, 0, zero, 0, 0],
            EPERM,
        ),
        (
            "setpriority",
            SYS_setpriority,
            [0, host, 19, 0, 0, 0],
            EPERM,
        ),
        (
            "sched_setaffinity",
            SYS_sched_setaffinity,
            [host, 8, zero, 0, 0, 0],
            EPERM,
        ),
        ("name_to_handle_at", SYS_name_to_handle_at, none, EPERM),
        ("open_by_handle_at", SYS_open_by_handle_at, none, EPERM),
        ("bpf", SYS_bpf, none, EPERM),
        ("userfaultfd", SYS_userfaultfd, none, EPERM),
        ("perf_event_open", SYS_perf_event_open, none, EPERM),
        ("keyctl", SYS_keyctl, none, EPERM),
        ("add_key", SYS_add_key, none, EPERM),
        ("fanotify_init", SYS_fanotify_init, none, EPERM),
        ("kexec_load", SYS_kexec_load, none, EPERM),
        ("init_module", SYS_init_module, none, EPERM),
        ("reboot", SYS_reboot, none, EPERM),
        ("syslog", SYS_syslog, none, EPERM),
        ("sethostname", SYS_sethostname, [zero, 1, 0, 0, 0, 0], EPERM),
        ("settimeofday", SYS_settimeofday, none, EPERM),
        (
            "terminal input",
            SYS_ioctl,
            [0, TIOCSTI as usize, zero, 0, 0, 0],
            EPERM,
        ),
        (
            "file attributes",
            SYS_ioctl,
            [fd, 0x4008_6602, zero, 0, 0, 0],
            EPERM,
        ),
        ("socket, INET", SYS_socket, [2, 1, 0, 0, 0, 0], EPERM),
        ("socket, UNIX", SYS_socket, [1, 1, 0, 0, 0, 0], EPERM),
        ("socket, packet", SYS_socket, [17, 3, 0, 0, 0, 0], EPERM),
        ("socket, netlink", SYS_socket, [16, 3, 0, 0, 0, 0], EPERM),
        ("socket, vsock", SYS_socket, [40, 1, 0, 0, 0, 0], EPERM),
        ("connect", SYS_connect, [0, zero, 16, 0, 0, 0], EPERM),
        ("bind", SYS_bind, [0, zero, 16, 0, 0, 0], EPERM),
        ("accept4", SYS_accept4, none, EPERM),
        (
            "fchmodat",
            SYS_fchmodat,
            [AT_FDCWD as usize, path, 0o777, 0, 0, 0],
            EPERM,
        ),
        (
            "fchmodat2",
            452,
            [AT_FDCWD as usize, path, 0o777, 0, 0, 0],
            EPERM,
        ),
        (
            "fchownat",
            SYS_fchownat,
            [AT_FDCWD as usize, path, 1, 1, 0, 0],
            EPERM,
        ),
        (
            "utimensat",
            SYS_utimensat,
            [AT_FDCWD as usize, path, 0, 0, 0, 0],
            EPERM,
        ),
        ("setxattr", SYS_setxattr, [path, zero, zero, 0, 0, 0], EPERM),
        ("file_setattr", 469, none, EPERM),
        ("truncate", SYS_truncate, [path, 0, 0, 0, 0, 0], EACCES),
        (
            "mknodat, device",
            SYS_mknodat,
            [
                AT_FDCWD as usize,
                c"sub/device".as_ptr() as usize,
                S_IFCHR as usize | 0o600,
                0x103,
                0,
                0,
            ],
            EACCES,
        ),
        ("pidfd_getfd", SYS_pidfd_getfd, none, EPERM),
    ];
    let mut wrong = Vec::new();
    for (name, number, arguments, expected) in attempts {
        let errno = call(*number, *arguments);
        if errno != *expected {
            wrong.push(format!("{name}: {errno} instead of {expected}"));
        }
    }
    // SAFETY: a descriptor is made, or an error returned.
    let pidfd = unsafe { syscall(SYS_pidfd_open, host, 0) };
    if pidfd >= 0 {
        let errno = call(SYS_pidfd_send_signal, [pidfd as usize, 0, 0, 0, 0, 0]);
        if errno != EPERM {
            wrong.push(format!("pidfd_send_signal: {errno}"));
        }
    }
    #[cfg(target_arch = "x86_64")]
    for (name, number, expected) in [
        ("an x32 call", 0x4000_0027, ENOSYS),
        ("fork", SYS_fork, EPERM),
        ("vfork", SYS_vfork, EPERM),
        ("chmod", SYS_chmod, EPERM),
    ] {
        let errno = call(number, [path, 0o777, 0, 0, 0, 0]);
        if errno != expected {
            wrong.push(format!("{name}: {errno} instead of {expected}"));
        }
    }
    // What must go on working, of the same calls.
    assert_eq!(
        call(SYS_prlimit64, [0, RLIMIT_NOFILE as usize, 0, zero, 0, 0]),
        0,
        "own limits"
    );
    assert_eq!(call(SYS_kill, [own, 0, 0, 0, 0, 0]), 0, "signals to itself");
    assert_eq!(
        call(SYS_fchmod, [fd, 0o777, 0, 0, 0, 0]),
        0,
        "fchmod says success"
    );
    assert_eq!(
        fs::metadata("package.json").unwrap().permissions(),
        mode,
        "and does nothing"
    );
    std::thread::spawn(|| ()).join().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "calls: {} system calls denied in a native program",
        attempts.len() + 5
    );
}
