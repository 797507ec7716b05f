//! Files of `NAME=value` lines.
//!
//! The form is what all runtimes read alike: empty lines, lines that begin with `#`, an optional `export`, values bare (up to ` #`), in single
//! quotes (taken as they are) or in double quotes (`\n`, `\"`, `\\`). Nothing is expanded. Anything else is an error that names the line.

use std::collections::BTreeMap;

/// The variables, or the number of the first line that is none.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut variables = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = variable(line).ok_or(index + 1)?;
        variables.insert(name, value);
    }
    Ok(variables)
}

fn variable(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let first = name.chars().next()?;
    let valid = (first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !valid || value.contains('\0') {
        return None;
    }
    let value = value.trim();
    let value = match value.chars().next() {
        Some('\'') => {
            let (inside, after) = value[1..].split_once('\'')?;
            rest(after).then(|| inside.to_owned())?
        }
        Some('"') => double(&value[1..])?,
        _ => value.split(" #").next().unwrap_or("").trim_end().to_owned(),
    };
    Some((name.to_owned(), value))
}

/// Nothing but a comment may follow a closing quote.
fn rest(after: &str) -> bool {
    let after = after.trim_start();
    after.is_empty() || after.starts_with('#')
}

fn double(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return rest(chars.as_str()).then_some(value),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_forms_are_read_and_others_name_their_line() {
        let text = "\u{feff}# a comment\n\nA=1\nexport B = two words # said\nC='a # b \\n'\nD=\"x\\ny \\\"z\\\"\" # end\nE=\n";
        let read = parse(text).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "a # b \\n"),
            ("D", "x\ny \"z\""),
            ("E", ""),
        ];
        assert_eq!(
            read,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
        for (bad, line) in [
            ("A=1\nnonsense", 2),
            ("=x", 1),
            ("1A=x", 1),
            ("A=\"open", 1),
            ("A='open", 1),
            ("A='x' y", 1),
        ] {
            assert_eq!(parse(bad), Err(line), "{bad}");
        }
    }
}
