//! From a path as it was written to the path that the kernel sees.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::{HostError, Place};

/// Where written paths begin.
pub(super) struct Base<'a> {
    pub(super) cwd: &'a Path,
    pub(super) home: Option<&'a Path>,
}

impl Base<'_> {
    /// Absolute, `.` and `..` taken out by the letter, nothing looked up.
    pub(super) fn absolute(&self, key: &'static str, text: &str) -> Result<PathBuf, HostError> {
        let path = if let Some(rest) = text.strip_prefix("file://") {
            from_url(rest).ok_or_else(|| HostError::BadUrl {
                key,
                url: text.to_owned(),
            })?
        } else if text == "~" || text.starts_with("~/") {
            let home = self.home.ok_or(HostError::NoHome { key })?;
            home.join(text[1..].trim_start_matches('/'))
        } else {
            self.cwd.join(text)
        };
        Ok(lexical(&path))
    }

    /// A path that must be there.
    pub(super) fn existing(&self, key: &'static str, text: &str) -> Result<Place, HostError> {
        let given = self.absolute(key, text)?;
        match std::fs::canonicalize(&given) {
            Ok(real) => speakable(key, Place { real, given }),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(HostError::Missing { key, path: given })
            }
            Err(source) => Err(HostError::Unreadable {
                key,
                path: given,
                source,
            }),
        }
    }

    /// A path that may be missing: then the nearest folder above that is there counts, and the rest as written.
    pub(super) fn denied(&self, key: &'static str, text: &str) -> Result<Place, HostError> {
        let given = self.absolute(key, text)?;
        let mut rest: Vec<OsString> = Vec::new();
        let mut above = given.as_path();
        loop {
            if let Ok(real) = std::fs::canonicalize(above) {
                let real = rest.iter().rev().fold(real, |path, name| path.join(name));
                return speakable(key, Place { real, given });
            }
            let (Some(parent), Some(name)) = (above.parent(), above.file_name()) else {
                return Err(HostError::Missing { key, path: given });
            };
            rest.push(name.to_owned());
            above = parent;
        }
    }
}

fn speakable(key: &'static str, place: Place) -> Result<Place, HostError> {
    let fits = |path: &Path| path.to_str().is_some_and(|text| !text.contains(['*', ',']));
    if fits(&place.real) && fits(&place.given) {
        Ok(place)
    } else {
        Err(HostError::Unspeakable {
            key,
            path: place.real,
        })
    }
}

/// Takes out `.` and `..` without asking the file system.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The path of a `file:` URL, after its `file://`.
fn from_url(rest: &str) -> Option<PathBuf> {
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    if !rest.starts_with('/') {
        return None;
    }
    let rest = rest.split(['?', '#']).next()?;
    let mut bytes = Vec::with_capacity(rest.len());
    let mut input = rest.bytes();
    while let Some(byte) = input.next() {
        if byte == b'%' {
            let hex = |digit: u8| char::from(digit).to_digit(16);
            let value = hex(input.next()?)? * 16 + hex(input.next()?)?;
            // A `/` or NUL that was escaped would name another file than it seems to.
            let value = u8::try_from(value)
                .ok()
                .filter(|value| *value != 0 && *value != b'/')?;
            bytes.push(value);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // `file:///C:/x` on Windows.
    let text = if cfg!(windows) {
        text.trim_start_matches('/').to_owned()
    } else {
        text
    };
    Some(PathBuf::from(text))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_path_ends_at_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(root.join("a b")).unwrap();
        std::os::unix::fs::symlink(root.join("a b"), root.join("link")).unwrap();
        let base = Base {
            cwd: &root,
            home: Some(&root),
        };
        let url = format!("file://{}/a%20b", root.display());
        let localhost = format!("file://localhost{}/a%20b?x#y", root.display());
        for text in [
            "a b", "./a b/", "x/../a b", "~/a b", &url, &localhost, "link",
        ] {
            assert_eq!(
                base.existing("read", text).unwrap().real,
                root.join("a b"),
                "{text}"
            );
        }
        assert_eq!(
            base.existing("read", "link").unwrap().given,
            root.join("link")
        );
        assert_eq!(base.existing("read", "~").unwrap().real, root);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(root.join("a,b")).unwrap();
        std::os::unix::fs::symlink(root.join("a,b"), root.join("comma")).unwrap();
        let base = Base {
            cwd: &root,
            home: None,
        };
        let code = |text| base.existing("read", text).unwrap_err().code();
        assert_eq!(code("missing"), "KNT_PERMISSION_MISSING");
        assert_eq!(code("~/x"), "KNT_PERMISSION_NO_HOME");
        assert_eq!(code("comma"), "KNT_PERMISSION_PATH");
        for url in [
            "file://else/x",
            "file:///a%2Fb",
            "file:///a%00",
            "file:///a%zz",
            "file:///a%2",
        ] {
            assert_eq!(code(url), "KNT_PERMISSION_URL", "{url}");
        }
        assert_eq!(
            base.denied("denyRead", "not/there").unwrap().real,
            root.join("not/there")
        );
    }
}
