//! What this kernel can enforce.

use crate::host::Kernel;

/// Asks the kernel. `KNITTING_LANDLOCK` in `env` lowers the version that is believed, down to 0, as if on an older kernel; it never raises it.
/// `KNITTING_MOUNTS=0` likewise denies that a process can have mounts of its own.
#[must_use]
pub fn kernel(env: &std::collections::BTreeMap<String, String>) -> Kernel {
    let mut kernel = ask();
    if let Some(most) = env
        .get("KNITTING_LANDLOCK")
        .and_then(|text| text.parse().ok())
    {
        kernel.landlock = kernel.landlock.min(most);
    }
    if env.get("KNITTING_MOUNTS").is_some_and(|text| text == "0") {
        kernel.mounts = false;
    }
    kernel
}

#[cfg(target_os = "linux")]
fn ask() -> Kernel {
    Kernel {
        landlock: super::landlock::version(),
        seccomp: super::filter::available(),
        mounts: super::mounts::available(),
    }
}

#[cfg(not(target_os = "linux"))]
fn ask() -> Kernel {
    Kernel::default()
}
