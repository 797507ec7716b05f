/* A worker process in C. A host in Rust or C starts this program for a place of its pool; it attaches to the pool's memory and
 * serves two functions until it is asked to end:
 *
 *   0  a number       twice that number
 *   1  any bytes      how many they are, as a number
 *
 * Numbers are values of Knit's format (knit-codec/FORMAT.md): a message that is one number is its 8 bytes as an IEEE double, little-endian.
 *
 *   cc -Wall -Wextra -Werror -I knit-ffi/include knit-ffi/examples/worker.c -L target/release -lknit_ffi -o worker
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knit.h"

enum { OUTBOX_BYTES = 64 * 1024, SEARCH_MICROSECONDS = 20, WITHOUT_LIMIT = -1 };

static uint32_t worker;
static struct knit_memory front, control, outbox, heap;

/* Ends the program if a function of the library has failed. */
static int32_t check(int32_t result)
{
    if (result < 0) {
        char code[64], text[256];
        knit_last_error_code(code, sizeof code);
        knit_last_error(text, sizeof text);
        fprintf(stderr, "worker: %s: %s\n", code, text);
        exit(1);
    }
    return result;
}

static uint32_t control_word(size_t word)
{
    return ((const uint32_t *)control.data)[word];
}

/* Appends the answer to a call to the reply buffer. */
static uint32_t answer(uint32_t at, struct knit_frame call, uint8_t kind, uint8_t flags, const void *payload, uint32_t len)
{
    call.kind = kind;
    call.flags = flags;
    call.payload_len = len;
    memcpy(outbox.data + at, &call, sizeof call);
    memcpy(outbox.data + at + sizeof call, payload, len);
    uint32_t end = at + (uint32_t)sizeof call + len;
    return (end + KNIT_FRAME_GRANULE - 1) / KNIT_FRAME_GRANULE * KNIT_FRAME_GRANULE;
}

/* Runs one function. */
static uint32_t run(uint32_t at, struct knit_frame call, const uint8_t *argument, uint64_t len)
{
    const char *why = "this worker has no such function";
    double number;
    if (call.function == 0 && len == sizeof number) {
        memcpy(&number, argument, sizeof number);
        number *= 2;
        return answer(at, call, KNIT_KIND_RESULT, 0, &number, sizeof number);
    }
    if (call.function == 0)
        why = "this function takes a number";
    if (call.function == 1) {
        number = (double)len;
        return answer(at, call, KNIT_KIND_RESULT, 0, &number, sizeof number);
    }
    return answer(at, call, KNIT_KIND_THROWN, KNIT_FLAG_TEXT, why, (uint32_t)strlen(why));
}

/* Reads the n-th claimed call, wherever its argument is, and runs it. */
static uint32_t serve(uint32_t at, int32_t n)
{
    const uint8_t *argument = front.data + control_word(KNIT_CONTROL_ENTRIES + (size_t)n);
    struct knit_frame call;
    memcpy(&call, argument - sizeof call, sizeof call);
    uint64_t len = call.payload_len;
    uint32_t locator[2] = {0, 0};

    if (call.flags & KNIT_FLAG_BLOCK) {
        /* A long argument: the frame holds the name of a block in the host's heap, and its bytes. */
        memcpy(locator, argument, sizeof locator);
        memcpy(&len, argument + sizeof locator, sizeof len);
        check(knit_worker_open_block(worker, locator[0], locator[1]));
        if (len > control_word(KNIT_CONTROL_BLOCK_BYTES))
            len = control_word(KNIT_CONTROL_BLOCK_BYTES);
        if (heap.data == NULL)
            check(knit_worker_memory(worker, KNIT_MEMORY_HEAP, &heap));
        argument = heap.data + control_word(KNIT_CONTROL_BLOCK_OFFSET);
    }
    if ((call.flags & KNIT_FLAG_ABORT) && len >= 8) {
        /* The slot in which the host would say that nobody wants the result any more: these functions are too short to look. */
        argument += 8;
        len -= 8;
    }
    at = run(at, call, argument, len);
    if (call.flags & KNIT_FLAG_BLOCK)
        check(knit_worker_close_block(worker, locator[0], locator[1]));
    return at;
}

int main(void)
{
    struct knit_place place;
    if (knit_abi_version() != KNIT_ABI_VERSION) {
        fprintf(stderr, "worker: the library is not the header's\n");
        return 1;
    }
    check(knit_process_join(&place));
    check(knit_worker_attach(&place, &worker));
    check(knit_worker_memory(worker, KNIT_MEMORY_FRONT, &front));
    check(knit_worker_memory(worker, KNIT_MEMORY_CONTROL, &control));
    check(knit_worker_outbox(worker, OUTBOX_BYTES, &outbox));

    uint32_t replies = 0;
    for (;;) {
        int32_t calls = check(knit_worker_turn(worker, replies, SEARCH_MICROSECONDS));
        replies = 0;
        if (calls == KNIT_STOP)
            break;
        if (calls == 0)
            check(knit_worker_wait(worker, WITHOUT_LIMIT));
        /* A turn claims 64 calls at most, so their answers fit. */
        for (int32_t n = 0; n < calls; n++)
            replies = serve(replies, n);
    }

    check(knit_worker_close(worker));
    check(knit_memory_release(front.token));
    check(knit_memory_release(control.token));
    check(knit_memory_release(outbox.token));
    if (heap.data != NULL)
        check(knit_memory_release(heap.token));
    return 0;
}
