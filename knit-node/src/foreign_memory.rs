//! Memory that the C interface has handed out (`knit_ffi::memory`), shown as an external `ArrayBuffer`: for a runtime that makes one over an address only with more
//! permissions than to load this library.

use std::ffi::c_void;
use std::ptr;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::error::Result;
use crate::external::show;

/// What keeps the memory.
struct Token(u32);

impl Drop for Token {
    fn drop(&mut self) {
        knit_ffi::memory::knit_finalize(
            ptr::null_mut(),
            ptr::without_provenance_mut::<c_void>(self.0 as usize),
        );
    }
}

/// Shows `bytes` at an address that was handed out under a token, as an `ArrayBuffer` that gives the token back when it is collected.
///
/// The caller's word is taken for the address, as it is for those of the C interface: whoever can call this can read and write any memory.
#[napi(ts_return_type = "ArrayBuffer")]
pub fn memory_show(env: Env, address: f64, bytes: f64, token: u32) -> Result<Unknown<'static>> {
    let data = ptr::with_exposed_provenance_mut(address as usize);
    // SAFETY: the library handed out address, length and token together, and what the token keeps has so many bytes.
    unsafe { show(&env, data, bytes as usize, Token(token)) }
}
