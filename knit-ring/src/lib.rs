//! Bounded rings of variable-length frames in shared memory, doorbells and a block heap, with recovery after a participant's death.
