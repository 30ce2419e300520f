//! Errors in one line.

/// An error with its causes, each after a colon.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn causes_follow_their_errors() {
        let inner = "x".parse::<i32>().expect_err("no number");
        assert_eq!(with_causes(&Outer(inner)), "outer: invalid digit found in string");
    }
}
