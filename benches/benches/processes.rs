//! Between two processes: messages of 32 bytes, singly, in batches, and one at a time there and back.
//!
//! The other process is this program once more, so there is a `main` of our own.

#[cfg(unix)]
mod unix {
    use criterion::measurement::WallTime;
    use criterion::{BenchmarkGroup, Criterion, Throughput};
    use knit_benches::message::BATCH;
    use knit_benches::pipes::{Processes, iceoryx2, ipc_channel, knit_frame, knit_stream, peer};
    use std::time::Duration;

    /// Measures one contestant, with the other end served by a process of its own.
    fn measure<P: Processes>(group: &mut BenchmarkGroup<'_, WallTime>, batch: usize) {
        let (peer, mut here) = P::start();
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
        peer.wait();
    }

    pub fn main() {
        let served = peer::served::<knit_frame::Frame>()
            || peer::served::<knit_stream::Stream>()
            || peer::served::<ipc_channel::IpcChannel>()
            || peer::served::<iceoryx2::Iceoryx2>();
        if served {
            return;
        }
        let mut criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .configure_from_args();
        for (name, batch) in [("single", 1), ("batched", BATCH), ("ping-pong", 0)] {
            let mut group = criterion.benchmark_group(format!("processes/{name}"));
            group.throughput(Throughput::Elements(1));
            measure::<knit_frame::Frame>(&mut group, batch);
            measure::<knit_stream::Stream>(&mut group, batch);
            measure::<ipc_channel::IpcChannel>(&mut group, batch);
            measure::<iceoryx2::Iceoryx2>(&mut group, batch);
            group.finish();
        }
        criterion.final_summary();
    }
}

fn main() {
    #[cfg(unix)]
    unix::main();
}
