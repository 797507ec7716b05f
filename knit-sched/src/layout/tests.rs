//! What every layout keeps, whatever its sizes.

use super::*;

fn region(config: Config) -> (Region, Layout) {
    let layout = Layout::new(config).unwrap();
    let region = Region::anonymous(layout.total_bytes()).unwrap();
    layout.write(&region).unwrap();
    (region, layout)
}

#[test]
fn an_attaching_side_computes_the_same_layout() {
    for workers in [1, 2, 7, 64] {
        let (region, layout) = region(Config {
            workers,
            ..Config::default()
        });
        assert_eq!(Layout::attach(&region).unwrap(), layout);
    }
}

#[test]
fn nothing_overlaps() {
    let (_, layout) = region(Config {
        workers: 5,
        ..Config::default()
    });
    let abort_bytes = layout.config.abort_slots as usize * ABORT_WORD;
    let mut spans = vec![
        (0, HEADER_LINES * LINE),
        (layout.abort_words, abort_bytes),
        layout.shapes(None).unwrap(),
    ];
    for worker in 0..5 {
        spans.push((layout.cells + worker * CELL, CELL));
        spans.push(layout.shapes(Some(worker)).unwrap());
        spans.push((layout.histograms + worker * HISTOGRAMS, HISTOGRAMS));
        spans.push((
            layout.lane(worker).unwrap(),
            layout.request_size + layout.reply_size + layout.stamps_size,
        ));
    }
    spans.extend((0..=5).map(|heap| layout.heap(heap).unwrap()));
    spans.sort_unstable();
    for pair in spans.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?}");
    }
    let (offset, bytes) = *spans.last().unwrap();
    assert_eq!(offset + bytes, layout.total_bytes());
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let word_count = size_of::<Header>() / 4;
    for word in 0..word_count {
        let (region, _) = region(Config::default());
        let was: u32 = region.read(word * 4).unwrap();
        region.write(word * 4, &(was ^ 0x0001_0100)).unwrap();
        assert!(Layout::attach(&region).is_err(), "word {word}");
    }
}

#[test]
fn a_host_of_another_version_is_told_apart_from_damage() {
    let (region, _) = region(Config::default());
    for version in [VERSION - 1, VERSION + 1] {
        region
            .write(core::mem::offset_of!(Header, version), &version)
            .unwrap();
        let error = Layout::attach(&region).unwrap_err();
        assert_eq!(error.code(), "KNT_NOT_A_POOL");
        assert!(error.to_string().contains("the same version of Knit"));
    }
}

#[test]
fn sizes_outside_the_limits_are_refused() {
    let bad = [
        Config {
            workers: 0,
            ..Config::default()
        },
        Config {
            workers: 1025,
            ..Config::default()
        },
        Config {
            request_granules: 100,
            ..Config::default()
        },
        Config {
            reply_granules: 12,
            ..Config::default()
        },
        Config {
            arena_bytes: 1,
            ..Config::default()
        },
        Config {
            abort_slots: 0,
            ..Config::default()
        },
    ];
    for config in bad {
        assert!(Layout::new(config).is_err(), "{config:?}");
    }
}

#[test]
fn the_largest_pool_fits_below_two_gibibytes_of_front() {
    Layout::new(Config {
        workers: MAX_WORKERS,
        ..Config::default()
    })
    .unwrap();
}
