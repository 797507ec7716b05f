//! What names promise: one maker, one user, and an end.
#![cfg(not(miri))]

mod common;

use common::Name;
use knit_shm::{Region, ShmError};
use rustix::fs::{Mode, fchmod, fstat};

#[test]
fn memory_is_found_by_its_name_in_its_size() {
    let name = Name::new();
    let made = Region::named(&name.0, 10_000).unwrap();
    let found = Region::open_named(&name.0).unwrap();
    // Exactly, but for macOS, which rounds up to pages.
    assert_eq!(
        found.len() as u64,
        fstat(made.fd().unwrap()).unwrap().st_size as u64
    );
    assert!(found.len() >= 10_000);
    made.write(9_000, &5_u64).unwrap();
    assert_eq!(found.read::<u64>(9_000).unwrap(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_is_just_being_made_is_not_there_yet() {
    use rustix::fs::ftruncate;
    use rustix::shm;

    let name = Name::new();
    let missing = ShmError::NameMissing {
        name: name.0.clone(),
    };
    assert_eq!(Region::open_named(&name.0).unwrap_err(), missing);
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    let path = format!("/{}", name.0);
    let fd = shm::open(path.as_str(), flags, Mode::RUSR | Mode::WUSR).unwrap();
    assert_eq!(Region::open_named(&name.0).unwrap_err(), missing);
    ftruncate(&fd, 4096).unwrap();
    assert_eq!(Region::open_named(&name.0).unwrap().len(), 4096);
}

#[test]
fn a_name_is_given_once() {
    let name = Name::new();
    let first = Region::named(&name.0, 4096).unwrap();
    first.write(0, &1_u64).unwrap();
    let taken = ShmError::NameTaken {
        name: name.0.clone(),
    };
    assert_eq!(Region::named(&name.0, 8192).unwrap_err(), taken);
    // The refusal left the first one alone.
    assert_eq!(
        Region::open_named(&name.0).unwrap().read::<u64>(0).unwrap(),
        1
    );
}

#[test]
fn an_unlinked_name_is_missing_and_free_and_its_memory_stays() {
    let name = Name::new();
    let missing = ShmError::NameMissing {
        name: name.0.clone(),
    };
    assert_eq!(Region::open_named(&name.0).unwrap_err(), missing);
    assert_eq!(Region::unlink(&name.0).unwrap_err(), missing);
    let old = Region::named(&name.0, 4096).unwrap();
    old.write(0, &1_u64).unwrap();
    Region::unlink(&name.0).unwrap();
    assert_eq!(Region::open_named(&name.0).unwrap_err(), missing);
    assert_eq!(Region::unlink(&name.0).unwrap_err(), missing);
    let new = Region::named(&name.0, 4096).unwrap();
    assert_eq!(new.read::<u64>(0).unwrap(), 0);
    assert_eq!(old.read::<u64>(0).unwrap(), 1);
}

#[test]
fn names_of_another_form_are_refused() {
    let long = "n".repeat(31);
    for name in [
        "",
        ".",
        "..",
        "/knit",
        "a/b",
        "nul\0",
        long.as_str(),
        &"é".repeat(16),
    ] {
        let refused = ShmError::BadName { name: name.into() };
        assert_eq!(Region::named(name, 4096).unwrap_err(), refused);
        assert_eq!(Region::open_named(name).unwrap_err(), refused);
        assert_eq!(Region::unlink(name).unwrap_err(), refused);
    }
    let name = Name(format!("{:-<30}", Name::new().0));
    Region::named(&name.0, 4096).unwrap();
    Region::open_named(&name.0).unwrap();
}

#[test]
fn a_region_that_cannot_be_mapped_leaves_no_name() {
    let name = Name::new();
    assert_eq!(
        Region::named(&name.0, 1 << 60).unwrap_err().code(),
        "SHM_OS"
    );
    assert_eq!(
        Region::open_named(&name.0).unwrap_err().code(),
        "SHM_NAME_MISSING"
    );
}

#[test]
fn no_other_user_is_let_in() {
    let name = Name::new();
    let made = Region::named(&name.0, 4096).unwrap();
    let mode = Mode::from_raw_mode(fstat(made.fd().unwrap()).unwrap().st_mode);
    assert_eq!(
        mode & (Mode::RWXU | Mode::RWXG | Mode::RWXO),
        Mode::RUSR | Mode::WUSR
    );
}

#[test]
fn memory_that_others_can_reach_is_refused() {
    let name = Name::new();
    let made = Region::named(&name.0, 4096).unwrap();
    let refused = ShmError::NotPrivate {
        name: name.0.clone(),
    };
    for others in [Mode::RGRP, Mode::WGRP, Mode::ROTH, Mode::WOTH] {
        fchmod(made.fd().unwrap(), Mode::RUSR | Mode::WUSR | others).unwrap();
        assert_eq!(
            Region::open_named(&name.0).unwrap_err(),
            refused,
            "{others:?}"
        );
    }
    fchmod(made.fd().unwrap(), Mode::RUSR | Mode::WUSR).unwrap();
    Region::open_named(&name.0).unwrap();
}

#[test]
fn memory_of_another_user_is_refused() {
    use rustix::fs::{Gid, Uid, fchown};
    let name = Name::new();
    let made = Region::named(&name.0, 4096).unwrap();
    let fd = made.fd().unwrap();
    let nobody = (Uid::from_raw(65_534), Gid::from_raw(65_534));
    let given = fchown(fd, Some(nobody.0), Some(nobody.1));
    if rustix::process::geteuid().is_root() {
        // Root could open it, which is what makes the check matter.
        given.unwrap();
        let refused = ShmError::NotPrivate {
            name: name.0.clone(),
        };
        assert_eq!(Region::open_named(&name.0).unwrap_err(), refused);
    } else {
        // Others cannot plant memory under another user's id, and it stays theirs.
        assert_eq!(given, Err(rustix::io::Errno::PERM));
        Region::open_named(&name.0).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_is_not_followed() {
    let name = Name::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(4096).unwrap();
    std::os::unix::fs::symlink(file.path(), format!("/dev/shm/{}", name.0)).unwrap();
    let refused = ShmError::NotPrivate {
        name: name.0.clone(),
    };
    assert_eq!(Region::open_named(&name.0).unwrap_err(), refused);
}
