//! What memory objects promise beyond their bytes: fixed sizes, private descriptors, pages only where touched.
#![cfg(not(miri))]

mod common;

use std::os::fd::{AsFd, OwnedFd};

use common::Name;
use knit_shm::{Region, ShmError};
use rustix::io::{Errno, FdFlags, fcntl_getfd};

fn descriptor(region: &Region) -> OwnedFd {
    region.fd().unwrap().try_clone_to_owned().unwrap()
}

/// How large the pages of shared memory may get when one byte is touched.
const SLACK: u64 = 16 << 20;

#[test]
fn zero_bytes_are_refused() {
    assert_eq!(Region::anonymous(0).unwrap_err(), ShmError::Empty);
    assert_eq!(
        Region::named(&Name::new().0, 0).unwrap_err(),
        ShmError::Empty
    );
    let file = tempfile::tempfile().unwrap();
    assert_eq!(
        Region::attach_unsealed(file.into()).unwrap_err(),
        ShmError::Empty
    );
}

#[test]
fn more_than_an_address_space_is_refused() {
    for len in [usize::MAX, isize::MAX as usize] {
        let refused = ShmError::TooLarge { len: len as u64 };
        assert_eq!(Region::anonymous(len).unwrap_err(), refused);
        assert_eq!(Region::named(&Name::new().0, len).unwrap_err(), refused);
    }
    assert_eq!(Region::anonymous(1 << 60).unwrap_err().code(), "SHM_OS");
}

#[test]
fn sixty_four_gibibytes_cost_what_is_touched() {
    let region = Region::anonymous(64 << 30).unwrap();
    assert_eq!(region.resident_bytes().unwrap(), 0);
    region.write((64 << 30) - 8, &1_u64).unwrap();
    region.write(32 << 30, &2_u64).unwrap();
    let resident = region.resident_bytes().unwrap();
    assert!((1..SLACK).contains(&resident), "{resident} bytes");
}

#[test]
fn prefaulted_pages_are_resident_and_released_ones_are_not() {
    let region = Region::anonymous(64 << 20).unwrap();
    region.prefault(0, 32 << 20).unwrap();
    let before = region.resident_bytes().unwrap();
    assert!(before >= 32 << 20, "{before} bytes");
    region.copy_to(0, &vec![1; 32 << 20]).unwrap();
    region.release_pages(0, 24 << 20).unwrap();
    let after = region.resident_bytes().unwrap();
    assert!(
        (8 << 20..=before - (24 << 20)).contains(&after),
        "{after} bytes"
    );
    assert_eq!(region.read::<u64>(0).unwrap(), 0);
    assert_eq!(region.read::<u8>(24 << 20).unwrap(), 1);
}

#[test]
fn a_release_is_seen_through_every_mapping() {
    let region = Region::anonymous(1 << 20).unwrap();
    let other = Region::attach(descriptor(&region)).unwrap();
    region.write(8192, &7_u64).unwrap();
    assert_eq!(other.read::<u64>(8192).unwrap(), 7);
    region.release_pages(0, 1 << 20).unwrap();
    assert_eq!(other.read::<u64>(8192).unwrap(), 0);
}

#[test]
fn prefault_reports_what_touching_would_have_died_of() {
    // A file that somebody shrinks stands for a system without memory: the kernel treats both touches alike.
    let page = rustix::param::page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(2 * page as u64).unwrap();
    let region = Region::attach_unsealed(file.try_clone().unwrap().into()).unwrap();
    file.set_len(page as u64).unwrap();
    region.prefault(0, page).unwrap();
    let error = region.prefault(page, 1).unwrap_err();
    assert_eq!(error.code(), "SHM_OS", "{error}");
    // An area counts from its own start.
    let lost = region.area(page, page).unwrap();
    assert_eq!(lost.prefault(0, 1).unwrap_err(), error);
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_can_change_the_size_of_anonymous_memory() {
    use rustix::fs::{SealFlags, fcntl_add_seals, ftruncate};
    let region = Region::anonymous(100_000).unwrap();
    let fd = descriptor(&region);
    for size in [0, 4096, 99_999, 100_001, 1 << 30] {
        assert_eq!(ftruncate(&fd, size), Err(Errno::PERM), "to {size}");
    }
    // Nor add a seal that would take the memory away from its users.
    assert_eq!(fcntl_add_seals(&fd, SealFlags::WRITE), Err(Errno::PERM));
    region.write(99_992, &1_u64).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn attaching_takes_only_what_cannot_shrink() {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = memfd_create("loose", flags).unwrap();
    ftruncate(&fd, 5000).unwrap();
    let attach = |fd: &OwnedFd| Region::attach(fd.try_clone().unwrap());
    assert_eq!(attach(&fd).unwrap_err(), ShmError::Unsealed);
    fcntl_add_seals(&fd, SealFlags::GROW).unwrap();
    assert_eq!(attach(&fd).unwrap_err(), ShmError::Unsealed);
    assert_eq!(
        Region::attach_unsealed(fd.try_clone().unwrap())
            .unwrap()
            .len(),
        5000
    );
    fcntl_add_seals(&fd, SealFlags::SHRINK).unwrap();
    assert_eq!(attach(&fd).unwrap().len(), 5000);

    let file = tempfile::tempfile().unwrap();
    file.set_len(5000).unwrap();
    assert_eq!(Region::attach(file.into()).unwrap_err(), ShmError::Unsealed);
    let named = Region::named(&Name::new().0, 5000).unwrap();
    assert_eq!(
        Region::attach(descriptor(&named)).unwrap_err(),
        ShmError::Unsealed
    );
    assert_eq!(
        Region::attach_unsealed(descriptor(&named)).unwrap().len(),
        5000
    );
}

#[test]
fn attaching_takes_only_memory() {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    assert_eq!(Region::attach(reader).unwrap_err(), ShmError::NotMemory);
    assert_eq!(
        Region::attach_unsealed(writer).unwrap_err(),
        ShmError::NotMemory
    );
    let directory = std::fs::File::open(std::env::temp_dir()).unwrap();
    assert_eq!(
        Region::attach(directory.into()).unwrap_err(),
        ShmError::NotMemory
    );
}

#[test]
fn descriptors_are_closed_on_exec() {
    let name = Name::new();
    let regions = [
        Region::anonymous(4096).unwrap(),
        Region::named(&name.0, 4096).unwrap(),
        Region::open_named(&name.0).unwrap(),
    ];
    for region in &regions {
        let flags = fcntl_getfd(region.fd().unwrap()).unwrap();
        assert!(flags.contains(FdFlags::CLOEXEC));
    }
    assert!(Region::heap(4096).fd().is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn the_last_owner_unmaps_and_closes() {
    let region = Region::anonymous(12_345).unwrap();
    let inode = rustix::fs::fstat(region.fd().unwrap())
        .unwrap()
        .st_ino
        .to_string();
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().any(|line| {
            line.split_whitespace().nth(4) == Some(&inode) && line.contains("memfd:knit")
        })
    };
    let open = || {
        std::fs::read_dir("/proc/self/fd").unwrap().any(|entry| {
            // A descriptor of another test may close between the listing and the look.
            rustix::fs::stat(entry.unwrap().path())
                .is_ok_and(|stat| stat.st_ino.to_string() == inode)
        })
    };
    let clone = region.clone();
    let area = clone.area(100, 50).unwrap();
    drop(region);
    drop(clone);
    assert!(mapped());
    assert!(open());
    drop(area);
    assert!(!mapped());
    assert!(!open());
}

#[test]
fn a_region_can_be_shared_and_sent() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Region>();
    shared::<knit_shm::Area>();
    // And its descriptor can be borrowed for as long as it.
    let region = Region::anonymous(1).unwrap();
    assert!(fcntl_getfd(region.fd().unwrap().as_fd()).is_ok());
}
