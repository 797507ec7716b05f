//! Which system calls are answered instead of run, and with what.
//!
//! A list of denials, for two reasons: runtimes use more system calls than any list of allowances would hold for long, and Landlock already denies
//! files by default. What a later kernel adds is answered as if it were not there (see [`crate::apply`]), so a new call opens no hole.
//!
//! Sources: the man pages; Landlock's documentation for what it leaves out (modes, owners, times, UDP, UNIX sockets by path, fast open);
//! Docker's default profile for what has no place in a container.

use serde::{Deserialize, Serialize};

/// What a denied call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// EPERM.
    Denied,
    /// ENOSYS: as if the kernel did not know it, so that callers fall back.
    Absent,
    /// Success, and nothing is done.
    Ignored,
}

/// A condition on an argument, its lower 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Test {
    /// The argument with this number is this.
    Is(u8, u32),
    /// It is not.
    Not(u8, u32),
    /// Under a mask (second) it is this (third).
    Bits(u8, u32, u32),
}

/// Calls that are answered alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallRule {
    /// Their names. Those that an architecture does not have are passed over.
    pub calls: Vec<String>,
    /// The answer.
    pub answer: Answer,
    /// Only if all of these hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Test>,
}

fn rule(answer: Answer, calls: &str, when: &[Test]) -> SyscallRule {
    SyscallRule {
        calls: calls.split_whitespace().map(str::to_owned).collect(),
        answer,
        when: when.to_vec(),
    }
}

/// What no worker needs: administration, other processes' memory, ways round the file system's names.
const NEVER: &str = "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark finit_module \
    fsconfig fsmount fsopen fspick init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie migrate_pages modify_ldt mount \
    mount_setattr move_mount move_pages name_to_handle_at nfsservctl open_by_handle_at open_tree open_tree_attr perf_event_open pidfd_getfd \
    pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key setdomainname sethostname setns \
    settimeofday swapoff swapon sysfs syslog umount2 unshare uselib userfaultfd vhangup";

/// What changes a file without opening it.
const METADATA: &str = "chmod chown fchmodat fchmodat2 fchownat file_setattr fremovexattr fsetxattr futimesat lchown lremovexattr lsetxattr \
    removexattr removexattrat setxattr setxattrat utime utimes";

const CLONE_THREAD: u32 = 0x0001_0000;
const NAMESPACES: [u32; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];
const MSG_FASTOPEN: u32 = 0x2000_0000;
const AF_UNIX: u32 = 1;
const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
/// All socket types but streams: datagram, raw, reliable datagram, sequenced packet, DCCP, packet.
const NOT_STREAMS: [u32; 6] = [2, 3, 4, 5, 6, 10];
const TYPE_MASK: u32 = 0xf;
const IPPROTO_TCP: u32 = 6;
/// Terminal input from nowhere; the console's selection; attributes of files.
const IOCTLS: [u32; 4] = [0x5412, 0x541c, 0x4008_6602, 0x401c_5820];

/// Which part of the network is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Nothing,
    /// TCP; Landlock checks the ports.
    Tcp,
    /// All that runs over IP, for runtimes that check hosts themselves and must look their names up.
    Ip,
    Everything,
}

/// What the rules depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) landlock: u32,
    pub(super) thread: bool,
    pub(super) network: Network,
    pub(super) programs: bool,
    pub(super) metadata: bool,
}

pub(super) fn rules(wanted: Wanted) -> Vec<SyscallRule> {
    use Answer::{Absent, Denied, Ignored};
    use Test::{Bits, Is, Not};
    let mut rules = vec![rule(Denied, NEVER, &[])];
    // Its requests are run by the kernel past any filter. In a thread of a running process rings of before may be in use.
    rules.push(rule(
        Absent,
        if wanted.thread {
            "io_uring_setup"
        } else {
            "io_uring_setup io_uring_enter io_uring_register"
        },
        &[],
    ));
    // Its flags lie in memory where no filter sees them; libraries fall back to clone.
    rules.push(rule(Absent, "clone3", &[]));
    rules.extend(IOCTLS.map(|request| rule(Denied, "ioctl", &[Is(1, request)])));
    // Limits and priorities of other processes.
    rules.push(rule(
        Denied,
        "prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler",
        &[Not(0, 0)],
    ));
    rules.push(rule(Denied, "setpriority ioprio_set", &[Not(1, 0)]));
    if wanted.thread || wanted.landlock < 6 {
        // tgkill stays: runtimes stop their own threads by it.
        rules.push(rule(
            Denied,
            "kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal",
            &[],
        ));
    }
    if !wanted.metadata {
        rules.push(rule(Denied, METADATA, &[]));
        // Of an open file: copying files ends with these, and fails if they do. Times by name are denied, without a name ignored.
        rules.push(rule(Ignored, "fchmod fchown utimensat", &[]));
        rules.push(rule(Denied, "utimensat", &[Not(1, 0)]));
        if wanted.landlock < 3 {
            rules.push(rule(Denied, "truncate", &[]));
        }
    }
    if wanted.programs {
        rules.extend(NAMESPACES.map(|flag| rule(Denied, "clone", &[Bits(0, flag, flag)])));
    } else {
        rules.push(rule(Denied, "fork vfork", &[]));
        rules.push(rule(Denied, "clone", &[Bits(0, CLONE_THREAD, 0)]));
        // The filter is there before the runtime itself is executed, by execve.
        rules.push(rule(
            Denied,
            if wanted.thread {
                "execve execveat"
            } else {
                "execveat"
            },
            &[],
        ));
    }
    match wanted.network {
        Network::Nothing => {
            rules.push(rule(
                Denied,
                "socket connect bind listen accept accept4",
                &[],
            ));
            rules.push(rule(Denied, "socketpair", &[Not(0, AF_UNIX)]));
        }
        Network::Ip => rules.push(rule(Denied, "socket", &[Not(0, AF_INET), Not(0, AF_INET6)])),
        Network::Tcp => {
            rules.push(rule(Denied, "socket", &[Not(0, AF_INET), Not(0, AF_INET6)]));
            rules.extend(
                NOT_STREAMS.map(|kind| rule(Denied, "socket", &[Bits(1, TYPE_MASK, kind)])),
            );
            // Landlock knows TCP, not what behaves like it (MPTCP, SCTP, SMC).
            rules.push(rule(Denied, "socket", &[Not(2, 0), Not(2, IPPROTO_TCP)]));
            // Connects without connect.
            rules.push(rule(
                Denied,
                "sendto sendmmsg",
                &[Bits(3, MSG_FASTOPEN, MSG_FASTOPEN)],
            ));
            rules.push(rule(
                Denied,
                "sendmsg",
                &[Bits(2, MSG_FASTOPEN, MSG_FASTOPEN)],
            ));
        }
        Network::Everything => {}
    }
    rules
}
