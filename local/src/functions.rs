//! How the services of this crate call the Lambda functions: by the name of the function's folder
//! in `functions/`.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use tokio::sync::watch;

/// What a function fails with. It is logged; an API's caller gets a 500 without it.
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

/// All functions of the bundle. A call that names no function of the bundle fails.
pub trait Functions: Send + Sync + 'static {
    /// Invokes a function with an API event.
    fn http(
        &self,
        function: &str,
        request: Request,
    ) -> BoxFuture<'static, Result<Response<Body>, FunctionError>>;

    /// Invokes a function with the JSON of any other event: stream, schedule or queue.
    fn event(
        &self,
        function: &str,
        event: Value,
    ) -> BoxFuture<'static, Result<Value, FunctionError>>;
}

/// Functions that are ended at their time-outs, as Lambda ends them. Their caller gets an error
/// like any other.
pub(crate) struct Timed {
    pub(crate) functions: Arc<dyn Functions>,
    /// Time-outs by function; a function that is not here has none.
    pub(crate) time_outs: BTreeMap<String, Duration>,
    /// Told of each invocation that has ended: it may have written to a table with a stream.
    pub(crate) ended: watch::Sender<()>,
}

impl Timed {
    fn timed<T: 'static>(
        &self,
        function: &str,
        call: BoxFuture<'static, Result<T, FunctionError>>,
    ) -> BoxFuture<'static, Result<T, FunctionError>> {
        let time_out = self.time_outs.get(function).copied().unwrap_or(Duration::MAX);
        let ended = self.ended.clone();
        async move {
            let outcome = tokio::time::timeout(time_out, call).await;
            ended.send_replace(());
            outcome.unwrap_or_else(|_| Err("the function timed out".into()))
        }
        .boxed()
    }
}

impl Functions for Timed {
    fn http(
        &self,
        function: &str,
        request: Request,
    ) -> BoxFuture<'static, Result<Response<Body>, FunctionError>> {
        self.timed(function, self.functions.http(function, request))
    }

    fn event(
        &self,
        function: &str,
        event: Value,
    ) -> BoxFuture<'static, Result<Value, FunctionError>> {
        self.timed(function, self.functions.event(function, event))
    }
}

/// Invokes with an API event; a panic is an error, as it is when it ends a Lambda's process.
pub(crate) async fn call_http(
    functions: &Arc<dyn Functions>,
    function: &str,
    request: Request,
) -> Result<Response<Body>, FunctionError> {
    let call = AssertUnwindSafe(async { functions.http(function, request).await });
    call.catch_unwind().await.unwrap_or_else(|_| Err("the function panicked".into()))
}

/// Invokes with another event; a panic is an error, as it is when it ends a Lambda's process.
pub async fn call_event(
    functions: &Arc<dyn Functions>,
    function: &str,
    event: Value,
) -> Result<Value, FunctionError> {
    let call = AssertUnwindSafe(async { functions.event(function, event).await });
    call.catch_unwind().await.unwrap_or_else(|_| Err("the function panicked".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never answers.
    struct Hangs;

    impl Functions for Hangs {
        fn http(
            &self,
            _function: &str,
            _request: Request,
        ) -> BoxFuture<'static, Result<Response<Body>, FunctionError>> {
            std::future::pending().boxed()
        }

        fn event(
            &self,
            _function: &str,
            _event: Value,
        ) -> BoxFuture<'static, Result<Value, FunctionError>> {
            std::future::pending().boxed()
        }
    }

    #[tokio::test]
    async fn a_function_ends_at_its_own_time_out() {
        let time_outs = [("survey", 20), ("sweep", 60_000)]
            .map(|(function, millis)| (function.to_owned(), Duration::from_millis(millis)));
        let functions: Arc<dyn Functions> = Arc::new(Timed {
            functions: Arc::new(Hangs),
            time_outs: time_outs.into(),
            ended: watch::Sender::default(),
        });
        assert_eq!(
            call_http(&functions, "survey", Request::default()).await.unwrap_err().to_string(),
            "the function timed out"
        );
        assert_eq!(
            call_event(&functions, "survey", Value::Null).await.unwrap_err().to_string(),
            "the function timed out"
        );
        let longer = tokio::time::timeout(
            Duration::from_millis(50),
            call_event(&functions, "sweep", Value::Null),
        );
        assert!(longer.await.is_err(), "it is still at work");
    }
}
