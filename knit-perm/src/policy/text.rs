//! What may stand in a path, a name, an address, a flag.
//!
//! The rules are those of the strictest place that a text can end up in: runtimes separate paths by commas and read a star in them as a
//! pattern, the kernel ends them at a NUL.

use super::{NetEntry, PolicyError};

/// Longer than any path that Linux opens (PATH_MAX).
const LONGEST: usize = 4096;

fn bad(at: &str, text: &str, reason: &'static str) -> PolicyError {
    PolicyError::BadText {
        at: at.to_owned(),
        text: text.chars().take(200).collect(),
        reason,
    }
}

fn plain(at: &str, text: &str) -> Result<(), PolicyError> {
    if text.is_empty() {
        return Err(bad(at, text, "it is empty"));
    }
    if text.len() > LONGEST {
        return Err(bad(at, text, "it is longer than 4096 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(bad(at, text, "it holds a control character"));
    }
    Ok(())
}

/// A path, as written.
pub(super) fn path(at: &str, text: &str) -> Result<String, PolicyError> {
    plain(at, text)?;
    if text.contains('*') {
        return Err(bad(
            at,
            text,
            "a `*` would be read as a pattern, and patterns are not supported; name the folder",
        ));
    }
    if text.contains(',') {
        return Err(bad(
            at,
            text,
            "runtimes separate paths by commas; name the folder above",
        ));
    }
    if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
        return Err(bad(at, text, "only `~` and `~/…`, the own home, are known"));
    }
    if text.contains("://") && !text.starts_with("file://") {
        return Err(bad(at, text, "of URLs only `file:` names a path"));
    }
    Ok(text.to_owned())
}

/// A command: a name to search for, or a path.
pub(super) fn command(at: &str, text: &str) -> Result<String, PolicyError> {
    path(at, text)
}

/// A name of something: a system fact.
pub(super) fn word(at: &str, text: &str) -> Result<String, PolicyError> {
    plain(at, text)?;
    if !text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    {
        return Err(bad(
            at,
            text,
            "a name has letters, digits, `_`, `-` and `.` only",
        ));
    }
    Ok(text.to_owned())
}

/// A variable's name, or the beginning of one and a star.
pub(super) fn variable(at: &str, text: &str) -> Result<String, PolicyError> {
    plain(at, text)?;
    let name = text.strip_suffix('*').unwrap_or(text);
    if name.is_empty() {
        return Err(bad(at, text, "say `true` for every variable"));
    }
    if name.contains(['=', ',', '*']) {
        return Err(bad(
            at,
            text,
            "a variable's name holds no `=`, no `,`, and a `*` at its end only",
        ));
    }
    Ok(text.to_owned())
}

/// Flags that would change what the plan enforces.
const PERMISSION_FLAGS: [&str; 16] = [
    "--allow-",
    "--deny-",
    "--ignore-",
    "--permission",
    "--no-permission",
    "--experimental-permission",
    "--no-prompt",
    "--unstable-ffi",
    "-A",
    "-R",
    "-W",
    "-N",
    "-E",
    "-S",
    "-I",
    "--inspect",
];

/// A runtime's flag.
pub(super) fn flag(at: &str, text: &str) -> Result<String, PolicyError> {
    plain(at, text)?;
    if !text.starts_with('-') || text == "-" || text == "--" {
        return Err(bad(at, text, "it is no flag"));
    }
    if PERMISSION_FLAGS.iter().any(|flag| text.starts_with(flag)) {
        return Err(bad(
            at,
            text,
            "permissions are given by the other keys of the policy",
        ));
    }
    Ok(text.to_owned())
}

/// `host`, `host:port`, `:port`, `[v6]`, `[v6]:port`.
pub(super) fn net(at: &str, text: &str) -> Result<NetEntry, PolicyError> {
    plain(at, text)?;
    if text.contains(['*', ',', '/', '@']) || text.contains(char::is_whitespace) {
        return Err(bad(at, text, "an entry is `host`, `host:port` or `:port`"));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest
            .split_once(']')
            .filter(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok())
            .ok_or_else(|| bad(at, text, "an IPv6 address in brackets is expected"))?;
        match after.strip_prefix(':') {
            Some(port) => (format!("[{}]", address.to_lowercase()), Some(port)),
            None if after.is_empty() => (format!("[{}]", address.to_lowercase()), None),
            None => return Err(bad(at, text, "after the address only `:port` may stand")),
        }
    } else if text.matches(':').count() > 1 {
        return Err(bad(at, text, "an IPv6 address stands in brackets"));
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host.to_lowercase(), Some(port)),
            None => (text.to_lowercase(), None),
        }
    };
    let port = port
        .map(|port| match port.parse::<u16>() {
            Ok(number) if number != 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
            _ => Err(bad(at, text, "a port is a number from 1 to 65535")),
        })
        .transpose()?;
    Ok(NetEntry {
        host: (!host.is_empty()).then_some(host),
        port,
    })
}
