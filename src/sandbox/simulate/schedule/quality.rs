//! How the versions of a world behave.

/// How the pods of a version behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// As the first version.
    Good,
    /// One request of five fails.
    Errors,
    /// Four times as slow.
    Slow,
    /// Never becomes ready.
    Unready,
    /// Becomes ready and crashes again and again.
    Crashes,
    /// Good for a minute, then every third request fails.
    Late,
    /// Answers well, and people complain of what it answers.
    Disliked,
    /// Answers well, and a Job that tries it finds that it does not work.
    Broken,
    /// Answers well, and a Job that tries it waits for ever.
    Stuck,
}

impl Quality {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Good,
        Self::Errors,
        Self::Slow,
        Self::Unready,
        Self::Crashes,
        Self::Late,
        Self::Disliked,
        Self::Broken,
        Self::Stuck,
    ];

    /// As it stands in the image's tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Errors => "errors",
            Self::Slow => "slow",
            Self::Unready => "unready",
            Self::Crashes => "crashes",
            Self::Late => "late",
            Self::Disliked => "disliked",
            Self::Broken => "broken",
            Self::Stuck => "stuck",
        }
    }

    /// From an image such as `shop:3-errors`; others are good.
    pub fn of_image(image: &str) -> Self {
        let ending = image.rsplit('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|quality| quality.as_str() == ending).unwrap_or(Self::Good)
    }
}
