//! The golden vectors' file, and how it writes values down.
//!
//! ```text
//! { "version": 1,
//!   "valid":   [ { "name", "value", "bytes", "shapes"?, "exact" } ],
//!   "invalid": [ { "name", "bytes", "shapes"?, "error" } ] }
//! ```
//!
//! `bytes` is the message in hexadecimal. `shapes` are the words of the sender's shape table, where the message needs one. Every decoder must make
//! `value` of `bytes`. `exact` says whether the writer of knit-codec gives exactly these bytes for the value (with an empty shape table, and nothing
//! remembered); the others are messages that a reader must take all the same. `error` is the code of FORMAT.md with which the message is refused.
//!
//! # Values
//!
//! `null`, booleans, finite numbers but -0, and well-formed strings stand for themselves. Everything else is an array whose first element
//! says what it is:
//!
//! ```text
//! ["undefined"]
//! ["number", "NaN" | "Infinity" | "-Infinity" | "-0"]
//! ["bigint", "decimal digits, - in front"]
//! ["string", [UTF-16 units]]                     a string with a lone surrogate; also in the place of any string below
//! ["symbol", key]                                Symbol.for(key)
//! ["date", milliseconds | "NaN"]
//! ["object", [key, value], ...]                  ["null-object", ...] if its prototype is null
//! ["array", value | ["holes", run], ...]
//! ["map", [key, value], ...]                     ["set", value, ...]
//! ["regexp", source, flags, lastIndex unless 0]   ["url", href]
//! ["binary", class, "bytes in hexadecimal"]      class as in JavaScript: "Uint8Array", "ArrayBuffer", "Buffer", ...
//! ["binary-block", class, length, "locator"]     locators: 16 hexadecimal digits, the highest first
//! ["string-block", "ascii" | "utf8" | "utf16", units, bytes, "locator"]
//! ["error", class, {"name"?, "message"?, "stack"?, "cause"?, "code"?, "errors"?, "properties"?}]
//! ["shared-memory", "ProcessSharedBuffer" | "SharedArrayBuffer" | "Int32Array" (a view of one) ..., byte length, byte offset, "locator"]
//! ["envelope", header, body]
//! ["ref", n]                                     the n-th numbered value of the message again, as FORMAT.md numbers them
//! ```
//!
//! `properties` of an error is an `["object", ...]` and takes a number, as in the message.

use knit_codec::{ErrorValue, JsString, Object, SparseArray, Value};

use crate::cases::Case;
use crate::invalid::Refusal;

/// The whole file.
pub fn file(cases: &[Case], refusals: &[Refusal]) -> String {
    let valid: Vec<String> = cases.iter().map(case).collect();
    let invalid: Vec<String> = refusals.iter().map(refusal).collect();
    format!(
        "{{\n\"version\": 1,\n\"valid\": [\n{}\n],\n\"invalid\": [\n{}\n]\n}}\n",
        valid.join(",\n"),
        invalid.join(",\n")
    )
}

fn case(case: &Case) -> String {
    format!(
        "{{\"name\": {}, \"value\": {}, \"bytes\": \"{}\", {}\"exact\": {}}}",
        string(case.name),
        value(&case.value),
        hex(&case.bytes),
        shapes(case.shapes.as_deref()),
        case.exact
    )
}

fn refusal(refusal: &Refusal) -> String {
    format!(
        "{{\"name\": {}, \"bytes\": \"{}\", {}\"error\": \"{}\"}}",
        string(refusal.name),
        hex(&refusal.bytes),
        shapes(refusal.shapes.as_deref()),
        refusal.error
    )
}

fn shapes(words: Option<&[u32]>) -> String {
    words.map_or(String::new(), |words| format!("\"shapes\": {words:?}, "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(value: &Value) -> String {
    match value {
        Value::Undefined => r#"["undefined"]"#.into(),
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => self::number(*number),
        Value::BigInt(value) => format!(r#"["bigint", "{value}"]"#),
        Value::String(text) => js_string(text),
        Value::Symbol(key) => format!(r#"["symbol", {}]"#, js_string(key)),
        Value::Date(ms) if ms.is_nan() => r#"["date", "NaN"]"#.into(),
        Value::Date(ms) => format!(r#"["date", {ms}]"#),
        Value::Object(object) => self::object(object),
        Value::Array(items) => list("array", items.iter().map(self::value)),
        Value::Numbers(numbers) => list("array", numbers.iter().map(|n| self::number(*n))),
        Value::Sparse(array) => sparse(array),
        Value::Map(entries) => list(
            "map",
            entries
                .iter()
                .map(|(k, v)| format!("[{}, {}]", self::value(k), self::value(v))),
        ),
        Value::Set(items) => list("set", items.iter().map(self::value)),
        Value::RegExp(r) => {
            let last_index = match r.last_index {
                0 => String::new(),
                at => format!(", {at}"),
            };
            format!(
                r#"["regexp", {}, {}{last_index}]"#,
                js_string(&r.source),
                js_string(&r.flags)
            )
        }
        Value::Url(href) => format!(r#"["url", {}]"#, js_string(href)),
        Value::Binary(b) => format!(r#"["binary", "{}", "{}"]"#, b.kind.name(), hex(&b.bytes)),
        Value::BinaryBlock(b) => {
            format!(
                r#"["binary-block", "{}", {}, "{:016x}"]"#,
                b.kind.name(),
                b.length,
                b.locator
            )
        }
        Value::StringBlock(b) => {
            let encoding = b.encoding.name();
            format!(
                r#"["string-block", "{encoding}", {}, {}, "{:016x}"]"#,
                b.units, b.bytes, b.locator
            )
        }
        Value::Error(error) => self::error(error),
        Value::SharedMemory(m) => {
            let kind = m.kind.name();
            format!(
                r#"["shared-memory", "{kind}", {}, {}, "{:016x}"]"#,
                m.byte_length, m.byte_offset, m.locator
            )
        }
        Value::Envelope(e) => format!(
            r#"["envelope", {}, {}]"#,
            self::value(&e.header),
            self::value(&e.body)
        ),
        Value::Ref(number) => format!(r#"["ref", {number}]"#),
    }
}

fn list(kind: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!(", {item}")).collect();
    format!("[\"{kind}\"{items}]")
}

fn number(number: f64) -> String {
    if number.is_nan() {
        r#"["number", "NaN"]"#.into()
    } else if number.is_infinite() {
        format!(
            r#"["number", "{}Infinity"]"#,
            if number < 0.0 { "-" } else { "" }
        )
    } else if number == 0.0 && number.is_sign_negative() {
        r#"["number", "-0"]"#.into()
    } else {
        // The shortest digits that give this double again.
        format!("{number:?}")
    }
}

fn object(object: &Object) -> String {
    let kind = if object.null_prototype {
        "null-object"
    } else {
        "object"
    };
    list(
        kind,
        object
            .iter()
            .map(|(key, item)| format!("[{}, {}]", js_string(key), value(item))),
    )
}

fn sparse(array: &SparseArray) -> String {
    let mut items = Vec::new();
    let mut next = 0;
    let holes = |from: u32, to: u32, items: &mut Vec<String>| {
        if from < to {
            items.push(format!(r#"["holes", {}]"#, to - from));
        }
    };
    for (index, item) in &array.entries {
        holes(next, *index, &mut items);
        items.push(value(item));
        next = index + 1;
    }
    holes(next, array.length, &mut items);
    list("array", items.into_iter())
}

fn error(error: &ErrorValue) -> String {
    let text = |name: &str, text: &Option<JsString>| {
        text.as_ref()
            .map(|text| format!("\"{name}\": {}", js_string(text)))
    };
    let field = |name: &str, item: &Option<Value>| {
        item.as_ref()
            .map(|item| format!("\"{name}\": {}", value(item)))
    };
    let fields = [
        text("name", &error.name),
        text("message", &error.message),
        text("stack", &error.stack),
        field("cause", &error.cause),
        field("code", &error.code),
        field("errors", &error.errors),
        error
            .properties
            .as_ref()
            .map(|properties| format!("\"properties\": {}", object(properties))),
    ];
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    format!(
        r#"["error", "{}", {{{}}}]"#,
        error.class.name(),
        fields.join(", ")
    )
}

fn js_string(text: &JsString) -> String {
    match text.as_str() {
        Some(text) => string(text),
        None => format!("[\"string\", {:?}]", text.to_utf16()),
    }
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..' ' | '\u{7f}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
