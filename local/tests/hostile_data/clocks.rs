//! Clocks that differ between functions.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use local::stack::Options;
use serde_json::json;

use crate::kit::World;
use crate::kit::hostile::{self, Life, play_ses};
use crate::kit::scenario::{Post, Scenario, Step, Topic, wrongs};
use crate::{all, some};

/// Minutes, by function, by which a clock is off; `0.5` stands for NTP on a bad day.
type Skews = BTreeMap<&'static str, f64>;

async fn with_clocks(skews: Skews, topic: Topic) -> Vec<String> {
    let skew = skews.clone();
    let off = move |function: &str| {
        SignedDuration::from_secs_f64(60.0 * skew.get(function).copied().unwrap_or_default())
    };
    let world = World::skewed(Options { proxied: true, ..Options::default() }, off).await;
    world.configure("channel", "phone", json!({ "mode": "integrated", "delay_minutes": 20 }));
    world.company(json!({ "send_attempts": 3 }));
    play_ses(&world);
    let mut scenario = Scenario::new(world, topic);
    let lives = [
        Life::Unheard,
        Life::Plain,
        Life::Lost,
        Life::Delayed,
        Life::Refused,
        Life::Bounced,
        Life::Failed,
    ];
    let mut steps = Vec::new();
    for (number, life) in lives.into_iter().enumerate() {
        let address = life.address(number);
        // Two tickets of each customer: one window, whoever looks at it and when.
        for ext in [format!("{number}a"), format!("{number}b")] {
            steps.extend([
                Step::Post(Post::request(life.channel(), &ext, &address)),
                Step::Settle,
                Step::Wait(7),
                Step::Sweep,
                Step::Settle,
            ]);
        }
    }
    steps.push(Step::Post(Post::gladly("event-1", "conversation-closed")));
    let mut wrong = Vec::new();
    for step in steps {
        scenario.run(&[step]).await;
        wrong.extend(hostile::wrongs_so_far(&scenario.world, &scenario.told, true));
    }
    for _ in 0..40 {
        if hostile::waiting(&scenario.world).is_empty() {
            break;
        }
        scenario.run(&[Step::Wait(60), Step::Sweep, Step::Settle]).await;
        wrong.extend(hostile::wrongs_so_far(&scenario.world, &scenario.told, true));
    }
    scenario.run_to_the_end().await;
    wrong.extend(hostile::wrongs_so_far(&scenario.world, &scenario.told, true));
    wrong.extend(wrongs(&scenario));
    for life in [Life::Plain, Life::Delayed, Life::Refused, Life::Unheard] {
        let number = lives.iter().position(|other| *other == life).unwrap();
        if scenario.world.mails_to(&life.address(number)).is_empty() {
            wrong.push(format!("{life:?} got no mail"));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong.into_iter().map(|wrong| format!("{skews:?} {topic:?}: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_differ_between_functions_make_no_second_mail_and_lose_nothing() {
    let mut checks = vec![(Skews::new(), Topic::Faithful)];
    for minutes in [0.5, 5.0, 60.0] {
        for minutes in [minutes, -minutes] {
            for function in ["requests", "dispatch", "sweep", "mail_events"] {
                checks.push((Skews::from([(function, minutes)]), Topic::Faithful));
            }
            checks.push((
                Skews::from([("dispatch", minutes), ("sweep", -minutes)]),
                Topic::Straggles,
            ));
            checks.push((
                Skews::from([("dispatch", minutes), ("mail_events", -minutes)]),
                Topic::Doubles,
            ));
        }
    }
    all(some(checks, 5).into_iter().map(|(skews, topic)| with_clocks(skews, topic))).await;
}
