#ifndef KNIT_H
#define KNIT_H

/* Generated from knit-ffi by `cargo xtask header`. Do not edit: a test compares this file with its source. */

#include <stddef.h>
#include <stdint.h>

// Version of this interface: what `knit_abi_version` returns if the library fits this header.
#define KNIT_ABI_VERSION 1

// What `knit_worker_turn` returns if the host asks the worker to end: more than any number of calls.
#define KNIT_STOP INT32_MAX

// There is none: no free abort slot, no deadline, nothing that runs.
#define KNIT_NONE INT32_MAX

// Control word, host and worker: microseconds of a monotonic clock, wrapping.
#define KNIT_CONTROL_CLOCK 0

// Control word, host: calls waiting in private memory.
#define KNIT_CONTROL_BACKLOG 1

// Control word, host and worker: place in its heap of the block opened or allocated last.
#define KNIT_CONTROL_BLOCK_OFFSET 2

// Control word, host and worker: size of that block.
#define KNIT_CONTROL_BLOCK_BYTES 3

// Control word, host and worker: lower word of the locator of the block allocated last.
#define KNIT_CONTROL_BLOCK_LOW 4

// Control word, host and worker: higher word of it.
#define KNIT_CONTROL_BLOCK_HIGH 5

// Control word, worker: how many aborts there were, wrapping.
#define KNIT_CONTROL_ABORTS 6

// Control word, host: 1 and the number of a worker that has damaged its reply ring, once; else 0. That worker must be ended and retired.
#define KNIT_CONTROL_DAMAGED 6

// Control word, host: 1 if replies are too far to be looked for: a host with nothing else to do had better sleep at once. Else 0.
#define KNIT_CONTROL_FAR 7

// First control word of the entries. Host: per span of replies `KNIT_SPAN_WORDS` (worker, first byte, end), or per expired call
// `KNIT_CALL_WORDS` (number, generation). Worker: per claimed call one word, the first byte of its payload. Bytes are counted from the start of
// `KNIT_MEMORY_FRONT`.
#define KNIT_CONTROL_ENTRIES 8

// Words of a span of replies.
#define KNIT_SPAN_WORDS 3

// Words of an expired call.
#define KNIT_CALL_WORDS 2

// Memory: everything of the region but the block heaps. Rings are read in it, never written.
#define KNIT_MEMORY_FRONT 0

// Memory: the control block.
#define KNIT_MEMORY_CONTROL 1

// Memory: the submission buffer of a host or the reply buffer of a worker.
#define KNIT_MEMORY_OUTBOX 2

// Memory: the figures of a host, `double`s. See `knit_host_measure`.
#define KNIT_MEMORY_FIGURES 3

// Memory: the host's block heap. That of worker w is `KNIT_MEMORY_HEAP + 1 + w`.
#define KNIT_MEMORY_HEAP 4

// Most rings that a thread's list has room for at once. See `knit_rung`.
#define KNIT_RUNG_MOST 63

// Columns of a row of figures, in the order of `knit_sched::port::FIGURES`.
#define KNIT_FIGURES 15

// Frames start at multiples of this many bytes, and are padded to it.
#define KNIT_FRAME_GRANULE 32

// Kind of a frame: a call; the payload is its argument.
#define KNIT_KIND_CALL 1

// Kind of a frame: a result.
#define KNIT_KIND_RESULT 2

// Kind of a frame: what the task threw.
#define KNIT_KIND_THROWN 3

// Kind of a frame: what a worker's binding says about itself, of no call.
#define KNIT_KIND_NOTE 4

// Kind of a frame: none; it fills the space up to the end of a ring.
#define KNIT_KIND_PAD 255

// Flag of a frame: the payload lies in a block; the frame holds its locator (low word, high word) and its length in bytes (u64).
#define KNIT_FLAG_BLOCK 1

// Flag of a thrown frame: an error of the worker's engine.
#define KNIT_FLAG_ENGINE 2

// Flag of a thrown frame: the payload is a message in UTF-8, not a value.
#define KNIT_FLAG_TEXT 4

// Flag of a reply: the worker's program holds blocks that came with the call.
#define KNIT_FLAG_KEPT 8

// Flag of a call: abort slot and ticket, u32 each, lie before the argument.
#define KNIT_FLAG_ABORT 16

// There is nothing with that handle on this thread, or with that token: it was closed or given back, or made elsewhere.
#define KNIT_ERROR_CLOSED -1

// An argument cannot be: null where something must be, or a number outside its limits.
#define KNIT_ERROR_ARGUMENT -2

// The engine refuses or has failed: memory, system, or a damaged frame. The code says which.
#define KNIT_ERROR_ENGINE -3

// A function was called from within a bell that this thread rang.
#define KNIT_ERROR_BUSY -4

// A defect of the library. Close what the call was about.
#define KNIT_ERROR_PANIC -5

// Memory that was handed out.
struct knit_memory {
    // Its address, aligned to 8 bytes at least.
    uint8_t *data;
    // Its bytes.
    uint64_t bytes;
    // What gives it back: `knit_memory_release`, or `knit_loan_drop` for a loan.
    uint32_t token;
    // Always 0.
    uint32_t reserved;
};

// How a host is to be. All words are 32 bits wide, so it is also an array of them.
struct knit_options {
    // Bytes of this struct, as the caller knows it. Fields beyond are as `knit_options_default` sets them.
    uint32_t size;
    // Workers, 1 to 1024.
    uint32_t workers;
    // Whether idle workers take calls queued for busy ones: 0 or 1.
    uint32_t steal;
    // Bytes of block heap for each participant, a multiple of 4096 from 65536.
    uint32_t arena_bytes;
    // How many calls that can be aborted may be in flight.
    uint32_t abort_slots;
    // The longest that one look for replies may spin, in microseconds; negative: the engine decides.
    int32_t spin_microseconds;
    // Granules of 32 bytes of each request ring, a power of two from 64 to 65536.
    uint32_t request_granules;
    // Granules of 32 bytes of each reply ring, a power of two from 64 to 65536.
    uint32_t reply_granules;
    // How calls are given to lanes: the place of its name in `knit_sched::Strategy::ALL`, 0 for round robin.
    uint32_t balancer;
    // Whether workers claim one call at a time, whatever it costs: 0 or 1. For calls that may be ended by force.
    uint32_t alone;
};

// Wakes an event loop. Called with the context that was given with it, on any thread, at most once for each time the sleeper armed. It must not
// block, must not call functions of this library, and must not throw or jump out.
typedef void (*knit_ring)(void *context);

// What `knit_finalizer` returns.
typedef void (*knit_finalizer_function)(void *data, void *context);

// A place for a worker in a pool.
struct knit_place {
    // The pool's token in this process.
    uint32_t token;
    // The place's number.
    uint32_t index;
    // The epoch for which it is open.
    uint32_t epoch;
    // Whether the worker may take calls queued for others: 0 or 1, the same for all.
    uint32_t steal;
};

// The header of a frame, as it lies in rings and buffers before its payload. An answer repeats function, call and generation of its call.
struct knit_frame {
    // Bytes of the payload, without padding.
    uint32_t payload_len;
    // The function's number.
    uint16_t function;
    // A `KNIT_KIND_*`.
    uint8_t kind;
    // `KNIT_FLAG_*` bits.
    uint8_t flags;
    // The call's number.
    uint32_t call;
    // The generation of that number: answers to an earlier call of the same number are told by it.
    uint32_t generation;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of this library's interface. Compare it with `KNIT_ABI_VERSION`.
//
// May be called on any thread. Never fails.
uint32_t knit_abi_version(void);

// Hands out this thread's list of those who were rung by notes (`knit_host_notes`, `knit_worker_notes`), as `knit_host_memory` does. Word 0: how many; then
// for each the `pool` that was given with its bell, and 0 for the host or the worker's number and one. At most `KNIT_RUNG_MOST` are in it.
//
// Whoever has it looks at word 0 after every call about a host or worker on this thread; if it is not 0, wakes them and calls `knit_rung_clear`.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_rung(struct knit_memory *memory);

// Empties this thread's list; what had no room in it comes now. Returns how many there are again.
int32_t knit_rung_clear(void);

// Writes the text of this thread's last error into `buffer`, in UTF-8, cut to `len` bytes with the NUL that ends it. Empty if there was none.
//
// Returns the bytes of the whole text without the NUL: if that is `len` or more, it was cut. Later calls that succeed do not change it.
// `buffer` stays the caller's; null if `len` is 0. May be called on any thread, and speaks of that one.
//
// # Safety
// `buffer` is null, or has room for `len` bytes.
int32_t knit_last_error(char *buffer,
                        size_t len);

// Writes the stable code of this thread's last error, such as `KNT_CLOSED`, as `knit_last_error` does its text.
//
// # Safety
// `buffer` is null, or has room for `len` bytes.
int32_t knit_last_error_code(char *buffer, size_t len);

// Makes a pool's memory and its host. Every place in it is still empty: see `knit_host_begin`.
//
// `options` is the caller's, read at once, and null for the defaults. `*host` becomes the handle, valid on this thread until
// `knit_host_close`. Errors: an option outside its limits, no memory.
//
// # Safety
// `options` is null, or `options->size` bytes long. `host` is null, which is refused, or may be written.
int32_t knit_host_create(const struct knit_options *options, uint32_t *host);

// Says by which number threads of this process find the pool: the `token` of `struct knit_place`. `*token` is good on all threads for as long as the
// pool has a host or a worker here.
//
// # Safety
// `token` is null, which is refused, or may be written.
int32_t knit_host_token(uint32_t host,
                        uint32_t *token);

// Hands out memory of a host: `which` is a `KNIT_MEMORY_*`. `*memory` is good until its token is given to `knit_memory_release`, on any
// thread, also after the host is closed. Each call gives a token of its own.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_host_memory(uint32_t host, uint32_t which, struct knit_memory *memory);

// Makes a submission buffer of `bytes` or more, which begins with what the former one held, and hands it out as `knit_host_memory` does. From now on
// this one is read; the former stays until its token is given back.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_host_outbox(uint32_t host,
                         uint32_t bytes,
                         struct knit_memory *memory);

// Hands over the first `bytes` of the submission buffer, then looks for replies for at most `spin` microseconds.
//
// Returns how many spans of replies are in the control block. They are whole frames, to be read in place (`KNIT_MEMORY_FRONT`) until the next
// turn, submission, arming or wait. Errors: a damaged frame in the buffer (nothing after it was handed over), damaged memory.
int32_t knit_host_turn(uint32_t host,
                       uint32_t bytes,
                       uint32_t spin);

// Hands over the first `bytes` of the submission buffer, and nothing else. Errors as `knit_host_turn`.
int32_t knit_host_submit(uint32_t host, uint32_t bytes);

// Sleeps until there are replies or `milliseconds` are over; negative: without limit. Returns spans of replies, as `knit_host_turn`: 0 if the time was
// over first, or there was a call to look after something else.
//
// For hosts without an event loop: with a bell it is `KNIT_ERROR_ARGUMENT`, because the bell would be rung instead. Nothing tells a sleeping
// host here that a worker has died: sleep with a limit, and look.
int32_t knit_host_wait(uint32_t host,
                       int32_t milliseconds);

// Announces that the host goes to sleep in its event loop. 1: its bell will be rung when there are replies, or room if calls wait for some. 0:
// there is something to do first.
int32_t knit_host_arm(uint32_t host);

// Sets what wakes the host after `knit_host_arm`, or with a null `ring` that nothing does.
//
// `context` is the caller's and must stay good until this returns for another bell, or the host is closed: from then on `ring` is not called any
// more. `ring` is called on any thread; see `Ring`.
//
// # Safety
// `ring` may be called with `context`, as said.
int32_t knit_host_bell(uint32_t host,
                       knit_ring ring,
                       void *context);

// Has the host's rings noted on the lists of the threads that ring (`knit_rung`), under a number for the pool of the caller's choice. For pools of
// threads whose programs all look there.
int32_t knit_host_notes(uint32_t host,
                        uint32_t pool);

// Lets go of the host, and ends its worker processes. What was handed out stays until its token is given back; the pool's memory also for as long as
// worker threads use it. The bell is not rung any more when this returns.
int32_t knit_host_close(uint32_t host);

// Opens a block that a reply of `worker` names: its place in that worker's heap and its size are in the control block. It is the host's until
// `knit_host_close_block`. Errors: the locator names no such block.
int32_t knit_host_open_block(uint32_t host,
                             uint32_t worker,
                             uint32_t low,
                             uint32_t high);

// Gives such a block back. Errors: it was given back already.
int32_t knit_host_close_block(uint32_t host, uint32_t worker, uint32_t low, uint32_t high);

// Keeps a block that a reply of `worker` names, for as long as the program likes: `*memory` is good until `knit_loan_drop` of its token, on any
// thread. 0 if it is not one to keep: open it, copy it out and close it. Else 1.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_host_hold_block(uint32_t host,
                             uint32_t worker,
                             uint32_t low,
                             uint32_t high,
                             struct knit_memory *memory);

// Says that a worker's program holds blocks that came with a call that it has answered (`KNIT_FLAG_KEPT`).
int32_t knit_host_kept(uint32_t host, uint32_t worker, uint32_t call);

// Makes a block for the program of this host: `*memory` is good until `knit_loan_drop` of its token, its locator is in the control block. 0 if there is no
// room, else 1.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_host_lend_block(uint32_t host,
                             uint32_t bytes,
                             struct knit_memory *memory);

// Takes such a block over, to be sent: the program must not write there any more, and its token, which is still to be dropped, no longer stands
// for the block. 0 if it did not any more, else 1.
int32_t knit_host_take_over_block(uint32_t host,
                                  uint32_t low,
                                  uint32_t high);

// Allocates a block to be sent with a call: its place in the host's heap, its size and its locator are in the control block. 0 if there is no room at
// present, else 1.
int32_t knit_host_alloc_block(uint32_t host,
                              uint32_t bytes);

// Takes back a block that is not sent. Errors: the locator names no such block.
int32_t knit_host_free_block(uint32_t host, uint32_t low, uint32_t high);

// Says that such a block goes with a call that is not handed over yet: before that, so that it is freed with its call, whatever becomes of it.
int32_t knit_host_assign_block(uint32_t host,
                               uint32_t call,
                               uint32_t low,
                               uint32_t high);

// Has the pages of the lowest `bytes` of every heap set up now, and keeps them while the pool lives. To be called before any worker begins. Errors: the
// system has not so much memory.
int32_t knit_host_reserve(uint32_t host,
                          uint32_t bytes);

// Gives the pages back that no large payload is in.
int32_t knit_host_trim(uint32_t host);

// Takes an abort slot for a call; its ticket is what its word in the front says then. `KNIT_NONE` if all are in use.
//
// Slot and ticket go before the call's argument (`KNIT_FLAG_ABORT`). The slot is given back by `knit_host_release_abort` when the call is over.
int32_t knit_host_take_abort(uint32_t host);

// Aborts the call that has this slot, and wakes the workers that watch. 0 if no call has it under that ticket any more, else 1.
int32_t knit_host_abort(uint32_t host, uint32_t slot, uint32_t ticket);

// Takes back the slot of a call that is over: answered, removed, or named by `knit_host_retired`. 0 if no call has it under that ticket, else 1.
int32_t knit_host_release_abort(uint32_t host,
                                uint32_t slot,
                                uint32_t ticket);

// Gives a call a deadline, so many milliseconds from now, in place of the one it has.
int32_t knit_host_deadline(uint32_t host, uint32_t call, uint32_t generation, uint32_t milliseconds);

// Takes a call's deadline away. 0 if it has none, else 1.
int32_t knit_host_cancel_deadline(uint32_t host, uint32_t call);

// Milliseconds until something may expire, rounded up; `KNIT_NONE` if nothing waits. Nothing here sets a timer: whoever owns the host does.
int32_t knit_host_next_deadline(uint32_t host);

// Takes calls whose deadlines have passed: number and generation of each are in the control block. Returns how many; there may be more unless it
// is 0.
int32_t knit_host_expire(uint32_t host);

// Removes a call that no worker has taken, handed over or not: it never runs, and its number is free. 1 if so, 0 if it is too late.
int32_t knit_host_cancel(uint32_t host, uint32_t call, uint32_t generation);

// Calls that were handed over and that no worker has taken yet.
int32_t knit_host_queued(uint32_t host);

// Brings the figures (`KNIT_MEMORY_FIGURES`) up to date: a row of `KNIT_FIGURES` for the pool, then one for each worker.
int32_t knit_host_measure(uint32_t host);

// Milliseconds since a worker claimed what it runs now; that call's number and generation are in the control block, as for `knit_host_expire`.
// `KNIT_NONE` if it runs nothing.
int32_t knit_host_running(uint32_t host,
                          uint32_t worker);

// Says how many turns a worker has taken, wrapping. One that takes none after `knit_host_nudge` is kept from it by what it runs.
//
// # Safety
// `turns` is null, which is refused, or may be written.
int32_t knit_host_turns(uint32_t host, uint32_t worker, uint32_t *turns);

// Wakes a worker if it sleeps, so that it takes a turn.
int32_t knit_host_nudge(uint32_t host, uint32_t worker);

// Where a place stands: 0 empty, 1 open for a worker, 2 being taken, 3 served, 4 its worker has died.
int32_t knit_host_state(uint32_t host, uint32_t worker);

// Opens a place for a worker: `*epoch` is what the worker needs to take it. Errors: there is no such place, or it is in use.
//
// # Safety
// `epoch` is null, which is refused, or may be written.
int32_t knit_host_begin(uint32_t host, uint32_t worker, uint32_t *epoch);

// Asks a worker to end, and wakes it. It ends when it has run what it took.
int32_t knit_host_stop(uint32_t host, uint32_t worker);

// Wakes every worker that sleeps: there is something for it beside the rings.
int32_t knit_host_rouse(uint32_t host);

// Settles a worker's death. It must really have ended, and its replies must have been read until there were none: they are dropped here.
//
// Returns how many calls it had taken; `knit_host_retired` names them. Some of them may have been answered.
int32_t knit_host_retire(uint32_t host, uint32_t worker);

// Writes numbers of calls that dead workers had taken to `calls`, at most `capacity`, each once. Returns how many: 0 if there are no more.
//
// # Safety
// `calls` is null and `capacity` 0, or it has room for `capacity` words.
int32_t knit_host_retired(uint32_t host, uint32_t *calls, size_t capacity);

// Gives the calls that wait in a dead worker's lane to others, for one that is not replaced.
int32_t knit_host_evacuate(uint32_t host, uint32_t worker);

// Passes memory to every worker process, and to those that start from now on; `*number` is for a message that is submitted afterwards. It counts: each time
// must be taken back by `knit_host_unshare`, when the call is settled.
//
// # Safety
// `number` is null, which is refused, or may be written.
int32_t knit_host_share(uint32_t host,
                        uint32_t handle,
                        uint32_t *number);

// Takes a number back: one message less names it.
int32_t knit_host_unshare(uint32_t host, uint32_t number);

// Takes the memory that an answer of a worker process names, once; `*handle` is 0 if that has not passed it. Errors: the worker can pass none, has passed
// something else, or there is no descriptor left.
//
// # Safety
// `handle` is null, which is refused, or may be written.
int32_t knit_host_take_shared(uint32_t host,
                              uint32_t worker,
                              uint32_t number,
                              uint32_t *handle);

// In a worker process: passes memory to the host; `*number` is for an answer that is published afterwards. Errors: what has started the process closes
// descriptors, or the host does not read.
//
// # Safety
// `number` is null, which is refused, or may be written.
int32_t knit_process_share(uint32_t handle,
                           uint32_t *number);

// In a worker process: takes a number back that no answer names.
int32_t knit_process_unshare(uint32_t number);

// In a worker process: takes the memory that a call names; `*handle` is 0 if the call was given up. Errors: as `knit_host_take_shared`.
//
// # Safety
// `handle` is null, which is refused, or may be written.
int32_t knit_process_take_shared(uint32_t number, uint32_t *handle);

// Gives back memory that was handed out under this token: `data` must not be used any more.
//
// May be called on any thread, and after host or worker are closed. A token that was given back already, or is a loan's, is
// `KNIT_ERROR_CLOSED`.
int32_t knit_memory_release(uint32_t token);

// Gives back a block that was handed out by `knit_host_hold_block`, `knit_worker_hold_block` or `knit_host_lend_block`: `data` must not be used
// any more, and the block may hold another message soon. For a block that was taken over by `knit_host_take_over_block` or that a pool has
// taken back meanwhile only the mapping is let go.
//
// May be called on any thread, and after host or worker are closed. A token that was given back already, or is no loan's, is
// `KNIT_ERROR_CLOSED`.
int32_t knit_loan_drop(uint32_t token);

// The same as either of them, as a finaliser of a runtime: `context` is the token as a pointer. What is given back already is passed over.
//
// May be called on any thread. `data` is not looked at.
void knit_finalize(void *data, void *context);

// The address of `knit_finalize`, for runtimes that take one and cannot look it up.
//
// May be called on any thread. Never fails.
knit_finalizer_function knit_finalizer(void);

// Fills in how a host is unless told otherwise: one worker, rings of 256 KiB, 64 MiB of block heap a participant.
//
// `options` is the caller's. May be called on any thread.
//
// # Safety
// `options` is null, which is refused, or may be written.
int32_t knit_options_default(struct knit_options *options);

// Makes a plan for workers. `request` is JSON, `{ "policy", "target", "env" }`; the answer, which is written to `buffer` with a NUL behind, is
// `{ "plan", "caveats" }` or `{ "error" }`. Returns its bytes without the NUL: if that is `len` or more it was cut, and the caller asks again with more
// room.
//
// May be called on any thread. Errors: no UTF-8.
//
// # Safety
// `request` has `request_len` bytes. `buffer` is null, or has room for `len` bytes.
int32_t knit_permission_plan(const uint8_t *request,
                             size_t request_len,
                             char *buffer,
                             size_t len);

// Says whether a failure in a worker is the policy's doing. `request` is JSON, `{ "plan", "failure" }`; the answer is `{ "denial" }`, null in it if it is
// not, or `{ "error" }`. It is given as `knit_permission_plan` does.
//
// # Safety
// `request` has `request_len` bytes. `buffer` is null, or has room for `len` bytes.
int32_t knit_permission_denial(const uint8_t *request,
                               size_t request_len,
                               char *buffer,
                               size_t len);

// Puts the sandbox of a plan (the JSON of `plan` in an answer of `knit_permission_plan`, for processes) on every process that this host starts from now
// on. Errors: no such plan, or the kernel lacks what it needs.
//
// # Safety
// `plan` has `plan_len` bytes.
int32_t knit_host_sandbox(uint32_t host,
                          const uint8_t *plan,
                          size_t plan_len);

// Restricts the calling thread, and those that it makes later, as a plan for threads says. It cannot be taken back. Returns 1, or 0 if the plan has nothing
// for the kernel. After an error the thread may be half restricted, and must not go on.
//
// # Safety
// `plan` has `plan_len` bytes.
int32_t knit_thread_restrict(const uint8_t *plan,
                             size_t plan_len);

// Becomes another program, in the sandbox of a plan for processes with `inPlace`: for a starter behind a container or another wrapper. `words` is the program and
// its arguments, `without` the variables that it does not get, each ended by NUL. It has this program's standard streams, folder and
// environment, and what a pool's host has given to this one.
//
// Returns only by an error, after which this process may be half restricted and must end.
//
// # Safety
// `plan`, `words` and `without` have so many bytes; the last may be null with 0.
int32_t knit_process_become(const uint8_t *plan,
                            size_t plan_len,
                            const uint8_t *words,
                            size_t words_len,
                            const uint8_t *without,
                            size_t without_len);

// Finds the pool and the place that this process was started for, without taking it: `*place` is for `knit_worker_attach`.
//
// To be called once: standard input is `/dev/null` afterwards. From then on the process is killed when its host is gone. Errors: standard
// input is nothing that a host made and the last argument names no place to get it, the host is gone, the process has joined already.
//
// # Safety
// `place` is null, which is refused, or may be written.
int32_t knit_process_join(struct knit_place *place);

// Writes what the host's binding tells this process to `buffer`, if it has room for all of it. Returns its bytes.
//
// # Safety
// `buffer` is null, or has room for `len` bytes.
int32_t knit_process_boot(uint8_t *buffer, size_t len);

// Tells the workers that are started from now on: the functions' names by number, each ended by NUL, and what their binding must know.
//
// # Safety
// `names` and `data` are null with a length of 0, or have so many bytes.
int32_t knit_host_boot(uint32_t host, const uint8_t *names, size_t names_len, const uint8_t *data, size_t data_len);

// Starts a process for a place that was opened. `*pid` becomes its id, which is that of a wrapper if there is one.
//
// `order` is the command: words that end with NUL, whose first letter says what they are. `A`: the program, then its arguments. `E`: a variable of its
// environment, `name=value`; it has no others. `D`: the directory it starts in. `N`: it can inherit nothing; it gets one argument more, `--knit-worker=` and a name
// that begins with this word, at which `knit_process_join` finds the pool. The host's bell must have been set: it is rung when a process has
// ended. Errors: no such command, or the system refuses.
//
// # Safety
// `order` has `order_len` bytes. `pid` is null, which is refused, or may be written.
int32_t knit_host_spawn(uint32_t host,
                        uint32_t worker,
                        const uint8_t *order,
                        size_t order_len,
                        uint32_t *pid);

// Takes the next process that has ended: place, exit code (empty if a signal ended it), signal (empty if none did), the last lines of its standard error;
// separated by NUL, in UTF-8, with a NUL behind. Returns the bytes without that one; 0 if no process has ended.
//
// If that is `len` or more there was no room: nothing is taken, and the next call tells the same.
//
// # Safety
// `buffer` is null, or has room for `len` bytes.
int32_t knit_host_take_exit(uint32_t host,
                            char *buffer,
                            size_t len);

// Sends a signal to the process in a place, and to what it has started in its group. Nothing if there is none. Errors: there is no such signal.
int32_t knit_host_kill(uint32_t host,
                       uint32_t worker,
                       int32_t signal);

// Makes memory without a name; `*handle` keeps it.
//
// # Safety
// `handle` is null, which is refused, or may be written.
int32_t knit_shared_create(uint32_t size, uint32_t *handle);

// Makes memory under a name that nobody has, in UTF-8: 1 to 30 characters, no slash, no NUL. Only this user can open it. Errors: the name, no room.
//
// # Safety
// `name` has `name_len` bytes. `handle` is null, which is refused, or may be written.
int32_t knit_shared_create_named(const uint8_t *name,
                                 size_t name_len,
                                 uint32_t size,
                                 uint32_t *handle);

// Opens the memory of that name. Errors: there is none, or it is another user's.
//
// # Safety
// `name` has `name_len` bytes. `handle` is null, which is refused, or may be written.
int32_t knit_shared_open_named(const uint8_t *name, size_t name_len, uint32_t *handle);

// Frees a name. The memory stays for those who have it. Errors: nobody has that name.
//
// # Safety
// `name` has `name_len` bytes.
int32_t knit_shared_unlink(const uint8_t *name, size_t name_len);

// Makes another handle for the same memory.
//
// # Safety
// `copy` is null, which is refused, or may be written.
int32_t knit_shared_clone(uint32_t handle, uint32_t *copy);

// Lets go of a handle; does nothing if that has happened.
int32_t knit_shared_close(uint32_t handle);

// Says how many bytes there are.
//
// # Safety
// `size` is null, which is refused, or may be written.
int32_t knit_shared_size(uint32_t handle, uint32_t *size);

// Hands out the memory's first `bytes`. `*memory` is good until its token is given to `knit_memory_release`, on any thread, also after the handle is
// closed.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_shared_memory(uint32_t handle,
                           uint32_t bytes,
                           struct knit_memory *memory);

// Sleeps while the 32-bit word at `offset` is `value`, at most `milliseconds`; negative: for ever. Returns 0 if woken, 1 if the word is another, 2 if the
// time is over.
int32_t knit_shared_wait(uint32_t handle,
                         uint32_t offset,
                         uint32_t value,
                         int32_t milliseconds);

// Wakes up to `most` of those who sleep on the word at `offset`, in any process; returns how many.
int32_t knit_shared_notify(uint32_t handle, uint32_t offset, uint32_t most);

// Takes a number for a new sender of messages.
//
// # Safety
// `sender` is null, which is refused, or may be written.
int32_t knit_shared_sender(uint32_t *sender);

// Puts memory on its way to another thread of this process; `*number` is for the message. It stays until that thread takes it, or the sender
// takes it back.
//
// # Safety
// `number` is null, which is refused, or may be written.
int32_t knit_shared_put(uint32_t handle,
                        uint32_t sender,
                        uint32_t *number);

// Takes the memory that a message names, once; `*handle` is 0 if it is gone.
//
// # Safety
// `handle` is null, which is refused, or may be written.
int32_t knit_shared_take(uint32_t number, uint32_t *handle);

// Takes back what was put on its way, unless it has arrived.
int32_t knit_shared_forget(uint32_t number);

// Takes back everything of a sender that has not arrived.
int32_t knit_shared_forget_all(uint32_t sender);

// Tells a number by which every thread of this process finds the memory while somebody keeps it.
//
// # Safety
// `number` is null, which is refused, or may be written.
int32_t knit_shared_publish(uint32_t handle, uint32_t *number);

// Makes a handle for the memory of that number; `*handle` is 0 if it is gone.
//
// # Safety
// `handle` is null, which is refused, or may be written.
int32_t knit_shared_find(uint32_t number, uint32_t *handle);

// Tells a number of this process, for messages that name memory by its number.
//
// # Safety
// `origin` is null, which is refused, or may be written.
int32_t knit_shared_origin(uint32_t *origin);

// Makes a watch of this thread; `*watch` becomes its number.
//
// # Safety
// `watch` is null, which is refused, or may be written.
int32_t knit_watch_create(uint32_t *watch);

// Sets what is rung after threads have ended, or with a null `ring` that nothing is. See `knit_host_bell`.
//
// # Safety
// `ring` may be called with `context`, on any thread, until this returns for another bell or the thread that made the watch has ended.
int32_t knit_watch_bell(uint32_t watch, knit_ring ring, void *context);

// Sleeps until a thread has ended that `knit_watch_take` has not told of (1), or `knit_watch_release` is called (0). May be called on any thread.
int32_t knit_watch_wait(uint32_t watch);

// Lets the one go who sleeps in `knit_watch_wait`, or the next one who would. May be called on any thread.
int32_t knit_watch_release(uint32_t watch);

// Takes the next thread that has ended: `*id` becomes the number that it had announced itself under. 1 if there is one, else 0. What it said last
// is then told by `knit_watch_words`.
//
// # Safety
// `id` is null, which is refused, or may be written.
int32_t knit_watch_take(uint32_t watch,
                        uint32_t *id);

// Writes the last words of the thread that `knit_watch_take` told of last on this thread, as `knit_last_error` does its text.
//
// # Safety
// `buffer` is null, or has room for `len` bytes.
int32_t knit_watch_words(char *buffer, size_t len);

// Whether that thread has announced itself and its end was not told by `knit_watch_take` yet: 1 or 0.
int32_t knit_watch_alive(uint32_t watch, uint32_t id);

// Announces this thread to a watch under a number. 0 if the watch is gone: nobody waits for this thread any more. Else 1.
int32_t knit_thread_announce(uint32_t watch, uint32_t id);

// Says why this thread is about to end, in UTF-8; the last one counts.
//
// # Safety
// `words` is null and `len` 0, or it has `len` bytes.
int32_t knit_thread_last_words(const uint8_t *words, size_t len);

// Says that the program on this thread goes with it, as that of a JavaScript runtime does: memory that is handed out here from now on is given
// back when the thread ends, if it was not before.
int32_t knit_thread_owns(void);

// Takes a place that a host has opened. `*worker` becomes the handle, valid on this thread until `knit_worker_close`.
//
// `place` is the caller's, read at once: for a thread of the host's process filled from `knit_host_token` and `knit_host_begin`, in a
// worker process by `knit_process_join`. Errors: there is no such pool here, the place is not open for that epoch.
//
// # Safety
// `place` is null, which is refused, or may be read. `worker` is null, which is refused, or may be written.
int32_t knit_worker_attach(const struct knit_place *place, uint32_t *worker);

// Hands out memory of a worker: `which` is a `KNIT_MEMORY_*` other than the figures. `*memory` is good until its token is given to
// `knit_memory_release`, on any thread, also after the worker is closed. Each call gives a token of its own.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_worker_memory(uint32_t worker, uint32_t which, struct knit_memory *memory);

// Makes a reply buffer of `bytes` or more, which begins with what the former one held, and hands it out as `knit_worker_memory` does. From now on this
// one is read; the former stays until its token is given back.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_worker_outbox(uint32_t worker,
                           uint32_t bytes,
                           struct knit_memory *memory);

// Publishes the first `bytes` of the reply buffer, and claims calls, searching for at most `spin` microseconds.
//
// Returns how many calls are in the control block, 0 if there are none at present, or `KNIT_STOP` if the worker shall end. Errors: a damaged frame in
// the buffer (nothing after it was published), damaged memory.
int32_t knit_worker_turn(uint32_t worker,
                         uint32_t bytes,
                         uint32_t spin);

// Whether the worker still has its place (1), or its host has settled its death while it lived on (0): to be asked before it writes anything into the
// pool's memory itself.
int32_t knit_worker_owns(uint32_t worker);

// Sets how many nanoseconds the worker pauses between two looks while `knit_worker_turn` searches; none unless this is called.
int32_t knit_worker_pause(uint32_t worker, uint32_t nanoseconds);

// Publishes the first `bytes` of the reply buffer, and nothing else: for what becomes ready between turns. Errors as `knit_worker_turn`.
int32_t knit_worker_publish(uint32_t worker, uint32_t bytes);

// Sleeps until there may be something to do or `milliseconds` are over; negative: without limit. The next turn tells.
//
// For workers without an event loop: with a bell it is `KNIT_ERROR_ARGUMENT`, because the bell would be rung instead.
int32_t knit_worker_wait(uint32_t worker, int32_t milliseconds);

// Announces that the worker goes to sleep in its event loop. 1: its bell will be rung when there is something to do. 0: there is something to do
// first.
int32_t knit_worker_arm(uint32_t worker);

// Sets what wakes the worker after `knit_worker_arm`, or with a null `ring` that nothing does.
//
// `context` is the caller's and must stay good until this returns for another bell, or the worker is closed: from then on `ring` is not called
// any more. `ring` is called on any thread; see `Ring`.
//
// # Safety
// `ring` may be called with `context`, as said.
int32_t knit_worker_bell(uint32_t worker,
                         knit_ring ring,
                         void *context);

// Has the worker's rings noted on the lists of the threads that ring, as `knit_host_notes` does.
int32_t knit_worker_notes(uint32_t worker, uint32_t pool);

// Says whether this worker runs tasks that must hear of an abort while it sleeps (1) or not (0): then an abort wakes it.
int32_t knit_worker_watch(uint32_t worker, uint32_t watches);

// Lets go of the worker. What was handed out stays until its token is given back. The bell is not rung any more when this returns. The host learns of
// it only when the thread or process is reported to it as ended (`knit_host_retire`).
int32_t knit_worker_close(uint32_t worker);

// Opens a block that a call names: its place in the host's heap (`KNIT_MEMORY_HEAP`) and its size are in the control block. It is the worker's until
// `knit_worker_close_block`. Errors: the locator names no such block.
int32_t knit_worker_open_block(uint32_t worker,
                               uint32_t low,
                               uint32_t high);

// Gives such a block back. Errors: it was given back already.
int32_t knit_worker_close_block(uint32_t worker, uint32_t low, uint32_t high);

// Keeps a block that a call names for as long as the program likes: `*memory` is good until `knit_loan_drop` of its token, on any thread. The
// call's reply says so by `KNIT_FLAG_KEPT`. 0 if it is not one to keep: open it, copy it out and close it. Else 1.
//
// # Safety
// `memory` is null, which is refused, or may be written.
int32_t knit_worker_hold_block(uint32_t worker,
                               uint32_t low,
                               uint32_t high,
                               struct knit_memory *memory);

// Allocates a block to be sent with a reply: its place in this worker's heap, its size and its locator are in the control block. 0 if there is no
// room at present, else 1.
int32_t knit_worker_alloc_block(uint32_t worker,
                                uint32_t bytes);

// Takes back a block that is not sent. Errors: the locator names no such block.
int32_t knit_worker_free_block(uint32_t worker, uint32_t low, uint32_t high);

// Gives the pages back that no large payload is in.
int32_t knit_worker_trim(uint32_t worker);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KNIT_H */
