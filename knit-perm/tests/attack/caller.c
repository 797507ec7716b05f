/* What Node.js before 26 cannot do by itself: an addon by which an attacker calls native code. Node-API is declared here, for want of its headers. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct env *napi_env;
typedef struct value *napi_value;
typedef struct info *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_double(napi_env, napi_value, double *);
int napi_get_buffer_info(napi_env, napi_value, void **, size_t *);
int napi_create_double(napi_env, double, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

static napi_value number(napi_env env, double value) {
    napi_value result = NULL;
    napi_create_double(env, value, &result);
    return result;
}

static size_t arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
    napi_get_cb_info(env, info, &count, values, NULL, NULL);
    return count;
}

static void *bytes(napi_env env, napi_callback_info info, size_t *length) {
    napi_value buffer;
    void *start = NULL;
    arguments(env, info, &buffer, 1);
    napi_get_buffer_info(env, buffer, &start, length);
    return start;
}

/* syscall(number, ...four arguments at most): what it returns. */
static napi_value call(napi_env env, napi_callback_info info) {
    napi_value values[5];
    double given[5] = {0};
    size_t count = arguments(env, info, values, 5);
    for (size_t i = 0; i < count && i < 5; i++) napi_get_value_double(env, values[i], &given[i]);
    return number(env, (double)syscall((long)given[0], (long)given[1], (long)given[2], (long)given[3], (long)given[4]));
}

/* address(buffer) */
static napi_value address(napi_env env, napi_callback_info info) {
    size_t length = 0;
    return number(env, (double)(uintptr_t)bytes(env, info, &length));
}

/* environment(name with a zero byte): whether there is such a variable, 1 or 0. */
static napi_value environment(napi_env env, napi_callback_info info) {
    size_t length = 0;
    return number(env, getenv(bytes(env, info, &length)) != NULL);
}

/* name(buffer): writes the machine's name; 0 if it did. */
static napi_value name(napi_env env, napi_callback_info info) {
    size_t length = 0;
    char *start = bytes(env, info, &length);
    return number(env, gethostname(start, length));
}

static void set(napi_env env, napi_value exports, const char *key, napi_callback callback) {
    napi_value function = NULL;
    napi_create_function(env, key, (size_t)-1, callback, NULL, &function);
    napi_set_named_property(env, exports, key, function);
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    set(env, exports, "syscall", call);
    set(env, exports, "address", address);
    set(env, exports, "environment", environment);
    set(env, exports, "name", name);
    return exports;
}
