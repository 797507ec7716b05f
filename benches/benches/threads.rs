//! Between two threads: messages of 32 bytes, singly, in batches, and one at a time there and back.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use knit_benches::message::{BATCH, serve};
use knit_benches::pipes::{Threads, crossbeam, ends, kanal, knit_frame, knit_stream, rtrb};
use std::time::Duration;

/// Measures one contestant, with the other end served by a thread of its own.
fn measure<P: Threads>(group: &mut BenchmarkGroup<'_, WallTime>, batch: usize) {
    let [mut here, there] = ends::<P>();
    let server = std::thread::spawn(move || serve(there));
    group.bench_function(P::NAME, |bencher| {
        bencher.iter_custom(|n| {
            if batch == 0 {
                here.ping_pong(n)
            } else {
                here.throughput(n, batch)
            }
        });
    });
    here.quit();
    server.join().expect("the other side does not panic");
}

fn all(criterion: &mut Criterion) {
    for (name, batch) in [("single", 1), ("batched", BATCH), ("ping-pong", 0)] {
        let mut group = criterion.benchmark_group(format!("threads/{name}"));
        group.throughput(Throughput::Elements(1));
        measure::<knit_frame::Frame>(&mut group, batch);
        measure::<knit_stream::Stream>(&mut group, batch);
        measure::<rtrb::Rtrb>(&mut group, batch);
        measure::<crossbeam::Crossbeam>(&mut group, batch);
        measure::<kanal::Kanal>(&mut group, batch);
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
