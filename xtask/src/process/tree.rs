//! Ending a program together with everything it started.
//!
//! A process group would do it in one call, but a program in a group of its own no longer hears the
//! terminal's Ctrl-C. So the tree is read from `ps`, which prints the same on Linux and macOS. A
//! process that has left the tree (its parent ended first) is not found.

use std::process::Command;

/// Ends a process and its descendants; `false` if that could not be tried.
pub fn end(root: u32) -> bool {
    let Ok(output) = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output() else {
        return false;
    };
    let family = family(root, &String::from_utf8_lossy(&output.stdout));
    let ids = family.iter().map(u32::to_string);
    Command::new("kill").arg("-KILL").args(ids).status().is_ok()
}

/// A process and its descendants, out of lines of `pid ppid`.
fn family(root: u32, list: &str) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = list
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(str::parse);
            Some((words.next()?.ok()?, words.next()?.ok()?))
        })
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            pairs
                .iter()
                .filter(|(id, p)| *p == parent && *id != parent)
                .map(|(id, _)| *id),
        );
        next += 1;
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_root_and_what_descends_from_it() {
        let list = "    1     0\n   10     1\n   11    10\n   12    11\n   20     1\n";
        assert_eq!(family(10, list), [10, 11, 12]);
    }
}
