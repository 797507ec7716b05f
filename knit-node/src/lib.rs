//! N-API binding of the Knit worker pool.
