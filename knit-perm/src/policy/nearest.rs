//! Which known word is meant by a misspelt one.

/// The known word nearest to `word` by edit distance (Levenshtein, without regard to case), if at most a third of it is wrong.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer than any known word by far: no candidate, and no quadratic work on hostile text.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    known
        .iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), *candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3).max(1))
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let above = row[j + 1];
            let changed = diagonal + usize::from(from != *to);
            row[j + 1] = changed.min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_like_and_a_strange_one_finds_none() {
        let known = ["read", "denyRead", "denyRun", "workers"];
        assert_eq!(nearest("raed", &known), Some("read"));
        assert_eq!(nearest("deny_read", &known), Some("denyRead"));
        assert_eq!(nearest("DENYRUN", &known), Some("denyRun"));
        assert_eq!(nearest("worker", &known), Some("workers"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest(&"r".repeat(1_000_000), &known), None);
    }
}
