//! What a user wants to allow: the object `permission` of a pool, as typed values and nothing more.
//!
//! A [`Policy`] is as it was written: paths are not looked up, names are not searched for. It guarantees that every key is a known one, of a
//! known type, and that no text holds what a later stage could not write down (NUL, a comma or a star in a path).
//!
//! # Layout
//!
//! A policy is `"strict"`, `"unsafe"`, or an object:
//!
//! | key | takes | left out, in strict mode |
//! |---|---|---|
//! | `mode` | `"strict"`, `"unsafe"` | `"strict"` |
//! | `onWeaker` | `"refuse"`, `"warn"`: what to do with a key that cannot be enforced as asked | `"refuse"` |
//! | `allowImport` | boolean: tasks may import the project and what is installed for it | `true` |
//! | `read`, `write` | boolean or list of paths | the working directory |
//! | `denyRead`, `denyWrite` | boolean or list of paths | nothing beyond the usual secrets |
//! | `net`, `denyNet` | boolean or list of `host`, `host:port`, `:port` | nothing |
//! | `env` | boolean, list of names, or `{ allow, deny, files }` | what the runtime needs |
//! | `run`, `denyRun` | boolean or list of commands | nothing |
//! | `workers`, `wasi` | boolean | `false` |
//! | `ffi`, `sys` | boolean or list | `false` |
//! | `console` | boolean: what tasks print is shown | `true` |
//! | `cwd` | path: where relative paths begin, and where processes start | the host's |
//! | `node`, `deno` | `{ flags }`: more flags of that runtime | none |
//!
//! Paths are absolute, relative, `~/…`, or `file:` URLs.
//!
//! # Who may call what
//!
//! Anybody: these are values. Parsing takes hostile text (the fuzz target `policy`): it never panics and its cost is linear in the text.
#![forbid(unsafe_code)]

mod error;
mod nearest;
mod parse;
mod text;

pub use error::PolicyError;
pub use nearest::nearest;

use serde::{Serialize, Serializer};

/// Whether anything is enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// What is not allowed is denied.
    #[default]
    Strict,
    /// Nothing is applied at all.
    Unsafe,
}

/// What happens to a key that cannot be enforced as it was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnWeaker {
    /// An error, before any worker starts.
    #[default]
    Refuse,
    /// What can be enforced is; the rest is reported.
    Warn,
}

/// How much of something is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<T> {
    /// `false`, or an empty list.
    Nothing,
    /// `true`.
    Everything,
    /// These.
    Only(Vec<T>),
}

impl<T> Scope<T> {
    /// The items, if it names some.
    #[must_use]
    pub fn items(&self) -> &[T] {
        match self {
            Self::Only(items) => items,
            Self::Nothing | Self::Everything => &[],
        }
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether it is `false` or an empty list.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl<T: Serialize> Serialize for Scope<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_bool(false),
            Self::Everything => serializer.serialize_bool(true),
            Self::Only(items) => items.serialize(serializer),
        }
    }
}

/// One entry of `net` or `denyNet`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetEntry {
    /// Host name or address, in lower case, an IPv6 address in brackets. `None`: every host.
    pub host: Option<String>,
    /// `None`: every port.
    pub port: Option<u16>,
}

impl std::fmt::Display for NetEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.host.as_deref().unwrap_or(""))?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Serialize for NetEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `env`: which variables of the host's environment a worker gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvPolicy {
    /// Names, a trailing `*` stands for any ending. `None`: what the runtime needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Scope<String>>,
    /// Names that are never passed on, whatever else says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Files of `NAME=value` lines whose variables are added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// What one runtime gets besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuntimePolicy {
    /// Flags put before the worker's script. None may change permissions: that is what the other keys are for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// The whole of `permission`. What is `None` was left out; its default is decided by [`crate::plan()`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// See [`Mode`]. `None`: strict, but nobody insists on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// See [`OnWeaker`].
    pub on_weaker: OnWeaker,
    /// Tasks may import the project and what is installed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_import: Option<bool>,
    /// What may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Scope<String>>,
    /// What may be written, created and removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<Scope<String>>,
    /// What may not be read, within what may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_read: Option<Scope<String>>,
    /// What may not be written, within what may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_write: Option<Scope<String>>,
    /// Where connections may go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<Scope<NetEntry>>,
    /// Where they may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_net: Option<Scope<NetEntry>>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<EnvPolicy>,
    /// Which commands may be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Scope<String>>,
    /// Which may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_run: Option<Scope<String>>,
    /// Whether tasks may start worker threads of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<bool>,
    /// Native addons and foreign functions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ffi: Option<Scope<String>>,
    /// Facts about the machine, by the names that Deno gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sys: Option<Scope<String>>,
    /// Node's WASI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasi: Option<bool>,
    /// Whether what tasks print is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<bool>,
    /// Where relative paths begin and processes start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Node only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<RuntimePolicy>,
    /// Deno only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deno: Option<RuntimePolicy>,
}

impl Policy {
    /// The default: strict, imports allowed.
    #[must_use]
    pub fn strict() -> Self {
        Self::default()
    }

    /// Nothing is applied.
    #[must_use]
    pub fn unrestricted() -> Self {
        Self {
            mode: Some(Mode::Unsafe),
            ..Self::default()
        }
    }

    /// From JSON text.
    ///
    /// # Errors
    /// It is no JSON, or not a policy; see [`PolicyError`].
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let value =
            serde_json::from_str(text).map_err(|error| PolicyError::Json(error.to_string()))?;
        Self::from_value(&value)
    }

    /// From a JSON value.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn from_value(value: &serde_json::Value) -> Result<Self, PolicyError> {
        parse::policy(value)
    }
}

impl<'de> serde::Deserialize<'de> for Policy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Scope<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written<T> {
            All(bool),
            Items(Vec<T>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::All(true) => Self::Everything,
            Written::All(false) => Self::Nothing,
            Written::Items(items) if items.is_empty() => Self::Nothing,
            Written::Items(items) => Self::Only(items),
        })
    }
}
