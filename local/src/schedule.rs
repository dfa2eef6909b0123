//! EventBridge's schedules.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::functions::{Functions, call_event};
use crate::template::Schedule;

/// Invokes the function now, and then at its rate, for ever. If a run fails, the error is logged,
/// and the next run follows at its time.
pub async fn run(schedule: Schedule, functions: Arc<dyn Functions>) {
    let mut ticks = interval(schedule.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if let Err(problem) =
            call_event(&functions, &schedule.function, event(Timestamp::now())).await
        {
            let function = &schedule.function;
            tracing::error!(function, error = %problem, "the scheduled function failed");
        }
    }
}

/// The event that a schedule sends at `now`.
fn event(now: Timestamp) -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::now_v7().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "local",
        "resources": ["arn:aws:events:local:000000000000:rule/sweep"],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;
    use crate::functions::FunctionError;

    #[derive(Default)]
    struct Panics(AtomicUsize);

    impl Functions for Panics {
        fn http(
            &self,
            _function: &str,
            _request: lambda_http::Request,
        ) -> BoxFuture<'static, Result<lambda_http::Response<lambda_http::Body>, FunctionError>>
        {
            async { Err("unused".into()) }.boxed()
        }

        fn event(
            &self,
            function: &str,
            event: Value,
        ) -> BoxFuture<'static, Result<Value, FunctionError>> {
            assert_eq!((function, &event["source"]), ("sweep", &json!("aws.events")));
            self.0.fetch_add(1, Ordering::SeqCst);
            async { panic!("as asked") }.boxed()
        }
    }

    #[tokio::test]
    async fn a_run_that_panics_does_not_end_the_schedule() {
        let functions = Arc::new(Panics::default());
        let schedule = Schedule { function: "sweep".into(), every: Duration::from_millis(5) };
        let task = tokio::spawn(run(schedule, functions.clone()));
        while functions.0.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        task.abort();
    }
}
