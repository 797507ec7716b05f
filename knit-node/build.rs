//! Linker settings that an N-API library needs on each platform.

fn main() {
    napi_build::setup();
}
