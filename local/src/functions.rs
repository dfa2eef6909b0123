//! The seam to the Lambda functions: the services here call them by the name of their folder in `functions/`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use serde_json::Value;

/// What a function fails with; Lambda shows its caller nothing of it.
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

/// All functions of the bundle. A name that is unknown is an error of the call.
pub trait Functions: Send + Sync + 'static {
    /// Invokes a function with an API event.
    fn http(&self, function: &str, request: Request) -> BoxFuture<'static, Result<Response<Body>, FunctionError>>;

    /// Invokes a function with the JSON of any other event: stream, schedule or topic.
    fn event(&self, function: &str, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>>;
}

/// Invokes with an API event; a panic is an error, as it is when it ends a Lambda's process.
pub(crate) async fn call_http(functions: &Arc<dyn Functions>, function: &str, request: Request) -> Result<Response<Body>, FunctionError> {
    let call = AssertUnwindSafe(async { functions.http(function, request).await });
    call.catch_unwind().await.unwrap_or_else(|_| Err("the function panicked".into()))
}

/// Invokes with another event; a panic is an error, as it is when it ends a Lambda's process.
pub async fn call_event(functions: &Arc<dyn Functions>, function: &str, event: Value) -> Result<Value, FunctionError> {
    let call = AssertUnwindSafe(async { functions.event(function, event).await });
    call.catch_unwind().await.unwrap_or_else(|_| Err("the function panicked".into()))
}
