//! Why an object is not a policy.

/// What is wrong with a policy as it was written. Every message names the key as a user sees it, `permission.env.allow` for example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not JSON.
    #[error("permission is not JSON: {0}")]
    Json(String),
    /// A key that does not exist.
    #[error("{at} has no key {key:?}{}", nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The object.
        at: String,
        /// What it was given.
        key: String,
        /// The known key that is spelt most like it, if one is.
        nearest: Option<String>,
    },
    /// A value of another type than the key takes.
    #[error("{at} must be {expected}, not {actual}")]
    WrongType {
        /// The key.
        at: String,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        actual: String,
    },
    /// A text that cannot mean what the key needs.
    #[error("{at} cannot be {text:?}: {reason}")]
    BadText {
        /// The key.
        at: String,
        /// What it was given.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// More items than any policy needs.
    #[error("{at} has {count} items; the most is {limit}")]
    TooMany {
        /// The key.
        at: String,
        /// How many it was given.
        count: usize,
        /// How many it takes.
        limit: usize,
    },
}

impl PolicyError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "KNT_POLICY_JSON",
            Self::UnknownKey { .. } => "KNT_POLICY_UNKNOWN_KEY",
            Self::WrongType { .. } => "KNT_POLICY_TYPE",
            Self::BadText { .. } => "KNT_POLICY_TEXT",
            Self::TooMany { .. } => "KNT_POLICY_TOO_MANY",
        }
    }
}
