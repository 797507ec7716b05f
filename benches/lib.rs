//! Benches of the crates (criterion) and of the runtimes.
