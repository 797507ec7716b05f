//! C ABI of the Knit worker pool.
