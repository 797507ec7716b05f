//! Writing and reading values: small and large records, and numbers.
//!
//! Every codec writes into memory that it keeps, and reads owned values; rkyv is also measured as it is meant to be used,
//! reading in place (`rkyv (access)`).

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use knit_benches::codecs::{
    Archived, Codec, Json, Knit, KnitShared, MessagePack, Postcard, rkyv_codec,
};
use knit_benches::records::{doubles, records, small};
use rkyv::util::AlignedVec;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::hint::black_box;
use std::time::Duration;

/// Writing or reading.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Encode,
    Decode,
}

fn with_serde<C: Codec, T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    direction: Direction,
    value: &T,
) where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut codec = C::default();
    let bytes = codec.encode(value).to_vec();
    assert_eq!(
        &codec.decode::<T>(&bytes),
        value,
        "{} changes the value",
        C::NAME
    );
    group.bench_function(C::NAME, |bencher| match direction {
        Direction::Encode => bencher.iter(|| black_box(codec.encode(black_box(value))).len()),
        Direction::Decode => bencher.iter(|| codec.decode::<T>(black_box(&bytes))),
    });
}

fn with_rkyv<T>(group: &mut BenchmarkGroup<'_, WallTime>, direction: Direction, value: &T)
where
    T: Archived + PartialEq + Debug,
{
    let bytes = rkyv_codec::encode(value, AlignedVec::new());
    assert_eq!(
        &rkyv_codec::decode::<T>(&bytes),
        value,
        "rkyv changes the value"
    );
    match direction {
        Direction::Encode => {
            let mut out = AlignedVec::new();
            group.bench_function("rkyv", |bencher| {
                bencher.iter(|| {
                    out = rkyv_codec::encode(black_box(value), std::mem::take(&mut out));
                    black_box(out.len())
                });
            });
        }
        Direction::Decode => {
            group.bench_function("rkyv", |bencher| {
                bencher.iter(|| rkyv_codec::decode::<T>(black_box(&bytes)))
            });
            group.bench_function("rkyv (access)", |bencher| {
                bencher.iter(|| {
                    black_box(rkyv_codec::access::<T>(black_box(&bytes)));
                });
            });
        }
    }
}

fn all_codecs<T>(criterion: &mut Criterion, name: &str, value: &T)
where
    T: Archived + Serialize + DeserializeOwned + PartialEq + Debug,
{
    for (direction, verb) in [(Direction::Encode, "encode"), (Direction::Decode, "decode")] {
        let mut group = criterion.benchmark_group(format!("codec/{name}/{verb}"));
        with_serde::<Knit, T>(&mut group, direction, value);
        with_serde::<KnitShared, T>(&mut group, direction, value);
        with_serde::<Json, T>(&mut group, direction, value);
        with_serde::<MessagePack, T>(&mut group, direction, value);
        with_serde::<Postcard, T>(&mut group, direction, value);
        with_rkyv(&mut group, direction, value);
        group.finish();
    }
}

fn all(criterion: &mut Criterion) {
    all_codecs(criterion, "{msg,id}", &small());
    all_codecs(criterion, "12 nested records", &records(12));
    all_codecs(criterion, "1000 nested records", &records(1000));
    all_codecs(criterion, "100 doubles", &doubles());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = all
}
criterion_main!(benches);
