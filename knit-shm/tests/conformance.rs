//! What every region promises, whichever way it was made.

use std::sync::atomic::Ordering;
use std::thread;

use bytemuck::{Pod, Zeroable};
use knit_shm::{Region, ShmError};

#[cfg(not(miri))]
mod common;

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: u64,
    version: u32,
    lanes: u32,
}

const HEADER: Header = Header {
    magic: 0x6b6e_6974,
    version: 1,
    lanes: 4,
};

/// An oracle for bounds that shares no arithmetic with the crate.
fn fits(offset: usize, len: usize, size: usize) -> bool {
    offset as u128 + len as u128 <= size as u128
}

fn new_memory_reads_as_zeroes(region: &Region) {
    let mut bytes = vec![0xff; region.len()];
    region.copy_from(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == 0));
}

fn the_first_byte_is_aligned_to_4096(region: &Region) {
    assert_eq!(region.as_ptr().addr() % 4096, 0);
}

fn values_come_back_as_written_at_any_alignment(region: &Region) {
    for offset in [0, 1, 3, 8, region.len() - size_of::<Header>()] {
        region.write(offset, &HEADER).unwrap();
        assert_eq!(region.read::<Header>(offset).unwrap(), HEADER);
    }
}

fn bytes_come_back_as_copied(region: &Region) {
    let sent: Vec<u8> = (0..region.len()).map(|i| (i * 7 + 1) as u8).collect();
    region.copy_to(0, &sent).unwrap();
    let mut got = vec![0; sent.len()];
    region.copy_from(0, &mut got).unwrap();
    assert_eq!(got, sent);
    let mut middle = [0; 100];
    region.copy_from(50, &mut middle).unwrap();
    assert_eq!(middle, sent[50..150]);
}

fn words_are_the_memory_and_not_copies(region: &Region) {
    region.atomic_u32(64).unwrap().store(7, Ordering::Relaxed);
    assert_eq!(region.read::<u32>(64).unwrap(), 7);
    region.write(128, &(u64::MAX - 1)).unwrap();
    let word = region.atomic_u64(128).unwrap();
    assert_eq!(word.fetch_add(1, Ordering::Relaxed), u64::MAX - 1);
    assert_eq!(region.read::<u64>(128).unwrap(), u64::MAX);
}

fn clones_and_areas_are_the_same_memory(region: &Region) {
    let area = region.clone().area(100, 200).unwrap();
    area.write(3, &0x0102_0304_u32).unwrap();
    assert_eq!(region.read::<u32>(103).unwrap(), 0x0102_0304);
    let part = area.area(3, 4).unwrap();
    assert_eq!(part.read::<u32>(0).unwrap(), 0x0102_0304);
    assert_eq!((part.offset(), part.len()), (103, 4));
    assert_eq!(part.region().as_ptr(), region.as_ptr());
    assert_eq!(part.as_ptr().addr(), region.as_ptr().addr() + 103);
}

fn an_access_outside_is_refused_and_touches_nothing(region: &Region) {
    let size = region.len();
    let edges = [0, 1, size - 9, size - 8, size - 4, size - 1, size, size + 1];
    let offsets = edges.into_iter().chain([usize::MAX - 7, usize::MAX]);
    for offset in offsets {
        let context = format!("offset {offset} of {size}");
        let refused = |len: usize| ShmError::OutOfBounds { offset, len, size };
        if fits(offset, 8, size) {
            assert_eq!(region.write(offset, &0_u64), Ok(()), "{context}");
            assert_eq!(region.read::<u64>(offset), Ok(0), "{context}");
        } else {
            assert_eq!(region.write(offset, &1_u64), Err(refused(8)), "{context}");
            assert_eq!(region.read::<u64>(offset), Err(refused(8)), "{context}");
            assert_eq!(region.atomic_u64(offset).unwrap_err(), refused(8));
        }
        if !fits(offset, 4, size) {
            assert_eq!(region.atomic_u32(offset).unwrap_err(), refused(4));
        }
        for len in [0, 1, 9, size, size + 1] {
            let mut bytes = vec![0; len];
            let fitting = fits(offset, len, size);
            assert_eq!(region.copy_to(offset, &bytes).is_ok(), fitting, "{context}");
            assert_eq!(region.copy_from(offset, &mut bytes).is_ok(), fitting);
            assert_eq!(region.release_pages(offset, len).is_ok(), fitting);
            assert_eq!(region.prefault(offset, len).is_ok(), fitting, "{context}");
            assert_eq!(region.area(offset, len).is_ok(), fitting, "{context}");
        }
        assert_eq!(
            region.area(offset, usize::MAX).unwrap_err(),
            refused(usize::MAX)
        );
    }
    new_memory_reads_as_zeroes(region);
}

fn an_area_does_not_reach_past_its_own_end(region: &Region) {
    let area = region.area(64, 32).unwrap();
    let refused = |offset, len| ShmError::OutOfBounds {
        offset,
        len,
        size: 32,
    };
    assert_eq!(area.write(24, &1_u64), Ok(()));
    assert_eq!(area.write(25, &1_u64), Err(refused(25, 8)));
    assert_eq!(area.read::<u32>(29), Err(refused(29, 4)));
    assert_eq!(area.copy_to(32, &[1]), Err(refused(32, 1)));
    assert_eq!(
        area.copy_from(usize::MAX, &mut [0; 2]),
        Err(refused(usize::MAX, 2))
    );
    assert_eq!(area.atomic_u32(32).unwrap_err(), refused(32, 4));
    assert_eq!(area.atomic_u64(32).unwrap_err(), refused(32, 8));
    assert_eq!(area.area(16, 17).unwrap_err(), refused(16, 17));
    assert_eq!(area.release_pages(0, 33), Err(refused(0, 33)));
    assert_eq!(area.prefault(1, 32), Err(refused(1, 32)));
    assert!(area.area(32, 0).unwrap().is_empty());
}

fn a_word_off_its_alignment_is_refused(region: &Region) {
    for offset in 0..32 {
        let narrow = region.atomic_u32(offset);
        let wide = region.atomic_u64(offset);
        if offset % 4 == 0 {
            assert!(narrow.is_ok());
        } else {
            assert_eq!(
                narrow.unwrap_err(),
                ShmError::Misaligned { offset, align: 4 }
            );
        }
        if offset % 8 == 0 {
            assert!(wide.is_ok());
        } else {
            assert_eq!(wide.unwrap_err(), ShmError::Misaligned { offset, align: 8 });
        }
    }
    // What counts is where the word lies, not how far it is from the start of an area.
    let odd = region.area(2, 64).unwrap();
    assert_eq!(
        odd.atomic_u32(0).unwrap_err(),
        ShmError::Misaligned {
            offset: 0,
            align: 4
        }
    );
    assert!(odd.atomic_u32(2).is_ok());
}

fn unchecked_accessors_see_what_checked_ones_do(region: &Region) {
    let area = region.area(8, 128).unwrap();
    // SAFETY: every offset here lies well inside the 128 bytes, and words are aligned (8 + 0, 8 + 8).
    unsafe { area.write_unchecked(17, &HEADER) };
    assert_eq!(area.read::<Header>(17).unwrap(), HEADER);
    // SAFETY: as above.
    assert_eq!(unsafe { area.read_unchecked::<Header>(17) }, HEADER);
    // SAFETY: as above.
    unsafe { area.copy_to_unchecked(100, b"knit") };
    let mut got = [0; 4];
    // SAFETY: as above.
    unsafe { area.copy_from_unchecked(100, &mut got) };
    assert_eq!(&got, b"knit");
    assert_eq!(&area.read::<[u8; 4]>(100).unwrap(), b"knit");
    // SAFETY: as above.
    unsafe { area.atomic_u32_unchecked(0) }.store(5, Ordering::Relaxed);
    assert_eq!(area.atomic_u32(0).unwrap().load(Ordering::Relaxed), 5);
    // SAFETY: as above.
    unsafe { area.atomic_u64_unchecked(8) }.store(6, Ordering::Relaxed);
    assert_eq!(area.atomic_u64(8).unwrap().load(Ordering::Relaxed), 6);
}

fn a_released_range_reads_as_zeroes_and_its_neighbours_keep_their_bytes(region: &Region) {
    let page = rustix::param::page_size();
    region.copy_to(0, &vec![9; region.len()]).unwrap();
    // From the middle of page 0 to the middle of page 3: pages 1 and 2 are the whole ones.
    region.release_pages(page / 2, 3 * page).unwrap();
    let mut bytes = vec![0; region.len()];
    region.copy_from(0, &mut bytes).unwrap();
    let released = |at: usize| (page..3 * page).contains(&at);
    assert!(
        bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| *byte == if released(at) { 0 } else { 9 })
    );
    // Less than a page: nothing to give back.
    region.release_pages(3 * page + 1, page - 1).unwrap();
    assert_eq!(region.read::<u8>(4 * page - 1).unwrap(), 9);
    // An area counts from its own start: of this one, page 3 is the only whole page.
    let area = region.area(2 * page + page / 2, page + page / 2).unwrap();
    area.release_pages(0, page + page / 2).unwrap();
    assert_eq!(region.read::<u8>(3 * page).unwrap(), 0);
    assert_eq!(region.read::<u8>(4 * page - 1).unwrap(), 0);
    assert_eq!(region.read::<u8>(page - 1).unwrap(), 9);
    assert_eq!(region.read::<u8>(4 * page).unwrap(), 9);
    // What was given back can be used again.
    region.write(page, &HEADER).unwrap();
    assert_eq!(region.read::<Header>(page).unwrap(), HEADER);
}

fn prefaulting_changes_no_byte(region: &Region) {
    region.copy_to(5, b"kept").unwrap();
    region.prefault(0, region.len()).unwrap();
    region.area(5, 9).unwrap().prefault(0, 9).unwrap();
    assert_eq!(&region.read::<[u8; 4]>(5).unwrap(), b"kept");
}

fn what_is_copied_before_a_release_is_seen_after_the_acquire(region: &Region) {
    let writer = region.clone();
    let sent = thread::spawn(move || {
        for round in 1..=50_u32 {
            let ready = writer.atomic_u32(0).unwrap();
            // Acquire, with the reader's Release: the bytes are ours again.
            while ready.load(Ordering::Acquire) != 2 * (round - 1) {
                thread::yield_now();
            }
            writer.copy_to(64, &[round as u8; 300]).unwrap();
            // Release, with the reader's Acquire: the bytes are theirs.
            ready.store(2 * round - 1, Ordering::Release);
        }
    });
    for round in 1..=50_u32 {
        let ready = region.atomic_u32(0).unwrap();
        while ready.load(Ordering::Acquire) != 2 * round - 1 {
            thread::yield_now();
        }
        let mut got = [0; 300];
        region.copy_from(64, &mut got).unwrap();
        assert_eq!(got, [round as u8; 300]);
        ready.store(2 * round, Ordering::Release);
    }
    sent.join().unwrap();
}

fn an_area_keeps_the_memory_alive(region: Region) {
    let area = region.area(16, 16).unwrap();
    region.write(16, &42_u64).unwrap();
    drop(region);
    assert_eq!(area.read::<u64>(0).unwrap(), 42);
    thread::spawn(move || assert_eq!(area.read::<u64>(0).unwrap(), 42))
        .join()
        .unwrap();
}

macro_rules! conformance {
    ($kind:ident, $make:expr; $($promise:ident)*) => {
        mod $kind {
            use super::*;
            fn make() -> Region {
                let make: fn(usize) -> Region = $make;
                // Not a multiple of any page size, so that the last page is a broken one.
                make(4 * rustix::param::page_size() + 100)
            }
            $(#[test] fn $promise() { super::$promise(&make()); })*
            #[test] fn an_area_keeps_the_memory_alive() { super::an_area_keeps_the_memory_alive(make()); }
        }
    };
    ($kind:ident, $make:expr) => {
        conformance!($kind, $make;
            new_memory_reads_as_zeroes
            the_first_byte_is_aligned_to_4096
            values_come_back_as_written_at_any_alignment
            bytes_come_back_as_copied
            words_are_the_memory_and_not_copies
            clones_and_areas_are_the_same_memory
            an_access_outside_is_refused_and_touches_nothing
            an_area_does_not_reach_past_its_own_end
            a_word_off_its_alignment_is_refused
            unchecked_accessors_see_what_checked_ones_do
            a_released_range_reads_as_zeroes_and_its_neighbours_keep_their_bytes
            prefaulting_changes_no_byte
            what_is_copied_before_a_release_is_seen_after_the_acquire
        );
    };
}

conformance!(heap, Region::heap);

#[cfg(not(miri))]
conformance!(anonymous, |len| Region::anonymous(len).unwrap());

#[cfg(not(miri))]
conformance!(named, |len| Region::named(&common::Name::new().0, len)
    .unwrap());

#[cfg(not(miri))]
conformance!(attached, |len| {
    let made = Region::anonymous(len).unwrap();
    Region::attach(made.fd().unwrap().try_clone_to_owned().unwrap()).unwrap()
});

#[cfg(not(miri))]
conformance!(opened_by_name, |len| {
    let name = common::Name::new();
    // macOS rounds the size up to pages, and the oracle of the bounds wants to know the size: the maker's own.
    let made = Region::named(&name.0, len).unwrap();
    let opened = Region::open_named(&name.0).unwrap();
    assert!(opened.len() >= made.len());
    opened
});
