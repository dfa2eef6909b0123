//! Query parameters.

use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::{Request, RequestExt};

use crate::problem::Problem;

/// A request's query parameters, trimmed; what is empty is not there.
#[derive(Debug)]
pub struct Query(QueryMap);

impl Query {
    /// Of a request.
    pub fn of(request: &Request) -> Self {
        Self(request.query_string_parameters())
    }

    /// What `read` makes of a parameter; of the first, if it is given twice. `expected` completes
    /// "`name` must be …".
    ///
    /// # Errors
    /// [`Problem::Query`] if it is there and `read` makes nothing of it.
    pub fn get<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let given = self.0.first(name).map(str::trim).filter(|value| !value.is_empty());
        given.map(|value| read(value).ok_or(Problem::Query(name, expected))).transpose()
    }
}
