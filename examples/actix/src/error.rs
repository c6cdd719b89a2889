//! The error that handlers return; `?` makes it from any other.

use std::error::Error as StdError;
use std::fmt::{Display, Formatter, Result};

use crate::problem::Problem;

/// Why a handler failed.
///
/// It leaves one line, with all that caused it; the client gets a bare 500. Only what is
/// made from a [`Problem`] is for the client, who then gets that.
#[derive(Debug)]
pub struct Error(Box<dyn StdError + Send + Sync>);

impl Error {
    /// What the client gets.
    pub fn problem(&self) -> Problem {
        let problem = self.0.downcast_ref().cloned();
        problem.unwrap_or_else(|| Problem::new(500))
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Error {
    fn from(cause: E) -> Self {
        Self(cause.into())
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(formatter, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct NotSaved(io::Error);

    impl Display for NotSaved {
        fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
            formatter.write_str("cannot save the order")
        }
    }

    impl StdError for NotSaved {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn it_names_all_causes_and_tells_the_client_none() {
        let error = Error::from(NotSaved(io::Error::other("disk full")));
        assert_eq!(error.to_string(), "cannot save the order: disk full");
        assert_eq!(error.problem(), Problem::new(500));
    }

    #[test]
    fn a_problem_is_for_the_client() {
        let problem = Problem::new(404).detail("no such order");
        assert_eq!(Error::from(problem.clone()).problem(), problem);
    }
}
