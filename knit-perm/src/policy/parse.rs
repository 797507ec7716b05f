//! From a JSON value to a [`Policy`]: every key known, every value of its type.

use serde_json::{Map, Value};

use super::{
    EnvPolicy, Mode, NetEntry, OnWeaker, Policy, PolicyError, RuntimePolicy, Scope, nearest, text,
};

/// More items than any policy needs, and few enough for a kernel's rules.
const MOST_ITEMS: usize = 1000;

type Result<T> = std::result::Result<T, PolicyError>;
type Text<T> = fn(&str, &str) -> Result<T>;

const KEYS: [&str; 20] = [
    "mode",
    "onWeaker",
    "allowImport",
    "read",
    "write",
    "denyRead",
    "denyWrite",
    "net",
    "denyNet",
    "env",
    "run",
    "denyRun",
    "workers",
    "ffi",
    "sys",
    "wasi",
    "console",
    "cwd",
    "node",
    "deno",
];

pub(super) fn policy(value: &Value) -> Result<Policy> {
    let object = match value {
        Value::String(mode) => {
            return Ok(Policy {
                mode: Some(word("permission", mode, &MODES)?),
                ..Policy::default()
            });
        }
        // What a binding sends for `undefined`.
        Value::Null => return Ok(Policy::default()),
        Value::Object(object) => object,
        other => {
            return Err(wrong(
                "permission",
                "\"strict\", \"unsafe\" or an object",
                other,
            ));
        }
    };
    known("permission", object, &KEYS)?;
    let key = |name: &'static str| Key {
        at: format!("permission.{name}"),
        // `null` is what JSON makes of nothing: left out.
        value: object.get(name).filter(|value| !value.is_null()),
    };
    Ok(Policy {
        mode: key("mode").word(&MODES)?,
        on_weaker: key("onWeaker").word(&WEAKER)?.unwrap_or_default(),
        allow_import: key("allowImport").boolean()?,
        read: key("read").scope(text::path)?,
        write: key("write").scope(text::path)?,
        deny_read: key("denyRead").scope(text::path)?,
        deny_write: key("denyWrite").scope(text::path)?,
        net: key("net").scope(text::net)?,
        deny_net: key("denyNet").scope::<NetEntry>(text::net)?,
        env: key("env").env()?,
        run: key("run").scope(text::command)?,
        deny_run: key("denyRun").scope(text::command)?,
        workers: key("workers").boolean()?,
        ffi: key("ffi").scope(text::path)?,
        sys: key("sys").scope(text::word)?,
        wasi: key("wasi").boolean()?,
        console: key("console").boolean()?,
        cwd: key("cwd")
            .value
            .map(|value| string("permission.cwd", value, text::path))
            .transpose()?,
        node: key("node").runtime()?,
        deno: key("deno").runtime()?,
    })
}

const MODES: [(&str, Mode); 2] = [("strict", Mode::Strict), ("unsafe", Mode::Unsafe)];
const WEAKER: [(&str, OnWeaker); 2] = [("refuse", OnWeaker::Refuse), ("warn", OnWeaker::Warn)];

struct Key<'a> {
    at: String,
    value: Option<&'a Value>,
}

impl Key<'_> {
    fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<Option<T>> {
        self.value
            .map(|value| match value {
                Value::String(text) => word(&self.at, text, words),
                other => Err(wrong(&self.at, "a word", other)),
            })
            .transpose()
    }

    fn boolean(&self) -> Result<Option<bool>> {
        self.value
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| wrong(&self.at, "true or false", value))
            })
            .transpose()
    }

    fn scope<T>(&self, text: Text<T>) -> Result<Option<Scope<T>>> {
        self.value
            .map(|value| scope(&self.at, value, text))
            .transpose()
    }

    fn env(&self) -> Result<Option<EnvPolicy>> {
        self.value
            .map(|value| match value {
                Value::Object(object) => {
                    known(&self.at, object, &["allow", "deny", "files"])?;
                    let inner = |name: &str| {
                        (
                            format!("{}.{name}", self.at),
                            object.get(name).filter(|value| !value.is_null()),
                        )
                    };
                    let names = |name: &str, text: Text<String>| match inner(name) {
                        (at, Some(value)) => list(&at, value, text),
                        (_, None) => Ok(Vec::new()),
                    };
                    let (at, allow) = inner("allow");
                    Ok(EnvPolicy {
                        allow: allow
                            .map(|value| scope(&at, value, text::variable))
                            .transpose()?,
                        deny: names("deny", text::variable)?,
                        files: names("files", text::path)?,
                    })
                }
                _ => Ok(EnvPolicy {
                    allow: Some(scope(&self.at, value, text::variable)?),
                    ..EnvPolicy::default()
                }),
            })
            .transpose()
    }

    fn runtime(&self) -> Result<Option<RuntimePolicy>> {
        self.value
            .map(|value| {
                let object = value
                    .as_object()
                    .ok_or_else(|| wrong(&self.at, "an object", value))?;
                known(&self.at, object, &["flags"])?;
                let flags = match object.get("flags").filter(|value| !value.is_null()) {
                    Some(value) => list(&format!("{}.flags", self.at), value, text::flag)?,
                    None => Vec::new(),
                };
                Ok(RuntimePolicy { flags })
            })
            .transpose()
    }
}

fn known(at: &str, object: &Map<String, Value>, keys: &[&str]) -> Result<()> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(PolicyError::UnknownKey {
            at: at.to_owned(),
            key: key.chars().take(200).collect(),
            nearest: nearest(key, keys).map(str::to_owned),
        }),
    }
}

fn word<T: Copy>(at: &str, text: &str, words: &[(&'static str, T)]) -> Result<T> {
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => Err(PolicyError::BadText {
            at: at.to_owned(),
            text: text.chars().take(200).collect(),
            reason: match words[0].0 {
                "strict" => "a mode is \"strict\" or \"unsafe\"",
                _ => "it is \"refuse\" or \"warn\"",
            },
        }),
    }
}

fn scope<T>(at: &str, value: &Value, text: Text<T>) -> Result<Scope<T>> {
    match value {
        Value::Bool(true) => Ok(Scope::Everything),
        Value::Bool(false) => Ok(Scope::Nothing),
        Value::Array(_) => Ok(match list(at, value, text)? {
            items if items.is_empty() => Scope::Nothing,
            items => Scope::Only(items),
        }),
        other => Err(wrong(at, "true, false or a list of strings", other)),
    }
}

fn list<T>(at: &str, value: &Value, text: Text<T>) -> Result<Vec<T>> {
    let items = value
        .as_array()
        .ok_or_else(|| wrong(at, "a list of strings", value))?;
    if items.len() > MOST_ITEMS {
        return Err(PolicyError::TooMany {
            at: at.to_owned(),
            count: items.len(),
            limit: MOST_ITEMS,
        });
    }
    items
        .iter()
        .enumerate()
        .map(|(index, item)| string(&format!("{at}[{index}]"), item, text))
        .collect()
}

fn string<T>(at: &str, value: &Value, text: Text<T>) -> Result<T> {
    match value {
        Value::String(written) => text(at, written),
        other => Err(wrong(at, "a string", other)),
    }
}

fn wrong(at: &str, expected: &'static str, value: &Value) -> PolicyError {
    let actual = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => format!("{:?}", value.chars().take(200).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    PolicyError::WrongType {
        at: at.to_owned(),
        expected,
        actual,
    }
}
