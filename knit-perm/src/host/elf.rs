//! Which loader or interpreter a program names.
//!
//! Only what is needed of the format: `PT_INTERP` of a 64-bit little-endian ELF file, and the first line of a script. Sources: elf(5), execve(2).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The loader of an executable, or the interpreter of a script. `None` if it names none.
pub(super) fn interpreter(program: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut file = File::open(program)?;
    let mut head = [0; 256];
    let length = fill(&mut file, &mut head)?;
    let head = &head[..length];
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        return Ok(text.split_whitespace().next().map(PathBuf::from));
    }
    if !head.starts_with(b"\x7fELF\x02\x01") || head.len() < 64 {
        return Ok(None);
    }
    let (start, size, count) = (
        number(head, 32, 8),
        number(head, 54, 2),
        number(head, 56, 2),
    );
    let mut header = [0; 56];
    for index in 0..count {
        file.seek(SeekFrom::Start(start.saturating_add(index * size)))?;
        if fill(&mut file, &mut header)? < header.len() {
            return Ok(None);
        }
        const PT_INTERP: u64 = 3;
        if number(&header, 0, 4) == PT_INTERP {
            let length = usize::try_from(number(&header, 32, 8))
                .unwrap_or(0)
                .min(4096);
            let mut path = vec![0; length];
            file.seek(SeekFrom::Start(number(&header, 8, 8)))?;
            file.read_exact(&mut path)?;
            let text = path.split(|byte| *byte == 0).next().unwrap_or(&[]);
            return Ok(std::str::from_utf8(text).ok().map(PathBuf::from));
        }
    }
    Ok(None)
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let mut value = [0; 8];
    value[..width].copy_from_slice(&bytes[at..at + width]);
    u64::from_le_bytes(value)
}

fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_loader_of_this_program_is_found_and_the_interpreter_of_a_script() {
        let loader = interpreter(&std::env::current_exe().unwrap())
            .unwrap()
            .expect("tests are linked dynamically");
        assert!(loader.exists(), "{loader:?}");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        assert_eq!(
            interpreter(&file("s", b"#! /bin/sh -e\nexit")).unwrap(),
            Some("/bin/sh".into())
        );
        assert_eq!(interpreter(&file("t", b"text")).unwrap(), None);
        let mut cut = b"\x7fELF\x02\x01".to_vec();
        cut.resize(64, 0xff);
        assert_eq!(interpreter(&file("c", &cut)).ok().flatten(), None);
    }
}
