/* A pool in C alone: a host, and workers in threads. Each call sends a number and gets its square.
 *
 *   cc -Wall -Wextra -Werror -pthread -I knit-ffi/include knit-ffi/examples/host.c -L target/release -lknit_ffi -o host
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knit.h"

enum { WORKERS = 2, CALLS = 1000, FRAME = KNIT_FRAME_GRANULE, SPIN_MICROSECONDS = 20 };

static int32_t check(int32_t result)
{
    if (result < 0) {
        char text[256];
        knit_last_error(text, sizeof text);
        fprintf(stderr, "host: %s\n", text);
        exit(1);
    }
    return result;
}

/* A header and a number: 24 bytes, padded to one granule. */
static uint32_t put_number(uint8_t *to, struct knit_frame header, double number)
{
    header.payload_len = sizeof number;
    memcpy(to, &header, sizeof header);
    memcpy(to + sizeof header, &number, sizeof number);
    return FRAME;
}

static void *work(void *argument)
{
    uint32_t worker, replies = 0;
    struct knit_memory front, control, outbox;
    check(knit_worker_attach(argument, &worker));
    check(knit_worker_memory(worker, KNIT_MEMORY_FRONT, &front));
    check(knit_worker_memory(worker, KNIT_MEMORY_CONTROL, &control));
    check(knit_worker_outbox(worker, 64 * FRAME, &outbox));
    const uint32_t *entries = (const uint32_t *)control.data + KNIT_CONTROL_ENTRIES;

    for (;;) {
        int32_t calls = check(knit_worker_turn(worker, replies, SPIN_MICROSECONDS));
        replies = 0;
        if (calls == KNIT_STOP)
            break;
        if (calls == 0)
            check(knit_worker_wait(worker, -1));
        for (int32_t n = 0; n < calls; n++) {
            struct knit_frame call;
            double number;
            memcpy(&call, front.data + entries[n] - sizeof call, sizeof call);
            memcpy(&number, front.data + entries[n], sizeof number);
            call.kind = KNIT_KIND_RESULT;
            replies += put_number(outbox.data + replies, call, number * number);
        }
    }
    check(knit_worker_close(worker));
    check(knit_memory_release(front.token));
    check(knit_memory_release(control.token));
    check(knit_memory_release(outbox.token));
    return NULL;
}

/* Reads the replies of one span. Returns how many there were. */
static uint32_t receive(const struct knit_memory *front, const uint32_t *span, double *sum)
{
    uint32_t replies = 0;
    for (uint32_t at = span[1]; at < span[2];) {
        struct knit_frame reply;
        memcpy(&reply, front->data + at, sizeof reply);
        if (reply.kind == KNIT_KIND_RESULT) {
            double square;
            memcpy(&square, front->data + at + sizeof reply, sizeof square);
            *sum += square;
            replies++;
        }
        at += (reply.payload_len + (uint32_t)sizeof reply + FRAME - 1) / FRAME * FRAME;
    }
    return replies;
}

int main(void)
{
    uint32_t host, submitted = 0, received = 0;
    double sum = 0;
    struct knit_options options;
    struct knit_place places[WORKERS];
    struct knit_memory front, control, outbox;
    pthread_t threads[WORKERS];

    check(knit_options_default(&options));
    options.workers = WORKERS;
    check(knit_host_create(&options, &host));
    check(knit_host_memory(host, KNIT_MEMORY_FRONT, &front));
    check(knit_host_memory(host, KNIT_MEMORY_CONTROL, &control));
    check(knit_host_outbox(host, CALLS * FRAME, &outbox));
    const uint32_t *spans = (const uint32_t *)control.data + KNIT_CONTROL_ENTRIES;

    for (uint32_t w = 0; w < WORKERS; w++) {
        places[w].index = w;
        places[w].steal = options.steal;
        check(knit_host_token(host, &places[w].token));
        check(knit_host_begin(host, w, &places[w].epoch));
        if (pthread_create(&threads[w], NULL, work, &places[w]) != 0)
            return 1;
    }

    for (uint32_t n = 0; n < CALLS; n++) {
        struct knit_frame call = {.kind = KNIT_KIND_CALL, .call = n};
        submitted += put_number(outbox.data + submitted, call, n);
    }
    int32_t found = check(knit_host_turn(host, submitted, SPIN_MICROSECONDS));
    for (;;) {
        for (int32_t n = 0; n < found; n++)
            received += receive(&front, spans + n * KNIT_SPAN_WORDS, &sum);
        if (received == CALLS)
            break;
        found = check(knit_host_wait(host, -1));
    }
    printf("%.0f\n", sum);

    for (uint32_t w = 0; w < WORKERS; w++) {
        check(knit_host_stop(host, w));
        pthread_join(threads[w], NULL);
    }
    check(knit_host_close(host));
    check(knit_memory_release(front.token));
    check(knit_memory_release(control.token));
    check(knit_memory_release(outbox.token));
    return 0;
}
