//! What this kernel can enforce.

use crate::host::Kernel;

/// Asks the kernel. `KNITTING_LANDLOCK` in `env` lowers the version that is believed, down to 0, as if on an older kernel; it never raises it.
/// `KNITTING_MOUNTS=0` likewise denies that a process can have mounts of its own.
#[must_use]
pub fn kernel(env: &std::collections::BTreeMap<String, String>) -> Kernel {
    // Asking costs a process.
    let mounts = env.get("KNITTING_MOUNTS").is_none_or(|text| text != "0");
    let mut kernel = ask(mounts);
    if let Some(most) = env
        .get("KNITTING_LANDLOCK")
        .and_then(|text| text.parse().ok())
    {
        kernel.landlock = kernel.landlock.min(most);
    }
    kernel
}

#[cfg(target_os = "linux")]
fn ask(mounts: bool) -> Kernel {
    Kernel {
        landlock: super::landlock::version(),
        seccomp: super::filter::available(),
        mounts: mounts && super::mounts::available(),
    }
}

#[cfg(not(target_os = "linux"))]
fn ask(_mounts: bool) -> Kernel {
    Kernel::default()
}
