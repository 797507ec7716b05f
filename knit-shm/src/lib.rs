//! Mapped memory shared by threads and processes, and wait/wake on a word in it.
