//! The demo's job: payments with their merchants, a user's spending online and offline, a country's hours.

use thalweg_connectors::embedded::Embedded;
use thalweg_connectors::files::{JsonLines, ParquetDir};
use thalweg_connectors::generator::Merchants;
use thalweg_connectors::online::{OnlineSink, View};

use crate::demo::folder::Layout;
use crate::demo::plan::{LATENESS, Plan, SEED};
use crate::demo::rows::{Hourly, Paid, Shop, Spend, SpendAt};
use crate::demo::{DemoError, VIEW, drift};
use crate::prelude::*;
use crate::store::{Place, StoreError};

/// How long the demo's rows stay in a Redis that is somebody's own.
const REDIS_TTL_HOURS: u64 = 1;

/// The job of a plan.
pub(super) fn job(plan: &Plan) -> Result<Job, DemoError> {
    let (online, baselines) = (online(plan)?, drift::fit(plan)?);
    let plan = plan.clone();
    Ok(Job::new("demo", move |g| {
        build(g, &plan, &online, &baselines)
    }))
}

fn build(
    g: &Graph<'_>,
    plan: &Plan,
    online: &OnlineSink<Spend>,
    baselines: &Baselines,
) -> Result<(), JobError> {
    let files = Layout::of(&plan.demo.dir);
    let source = plan.payments().event_time(|p| p.at.0).lateness(LATENESS);
    let payments = g.source("payments", source)?;
    let merchants = g.source("merchants", Merchants::new(SEED).untimed())?;
    let shops = merchants.map(Shop::from).key_by(|shop| shop.merchant);

    payments
        .late()
        .sink("late", JsonLines::create(files.late()))?;
    payments
        .dead_letters()
        .sink("dead letters", JsonLines::create(files.dead()))?;

    let paid = payments
        .key_by(|p| p.merchant)
        .lookup("merchant", &shops)
        .map(Paid::from);

    let spend = paid
        .key_by(|p| p.user)
        .event_time(|p| p.event_time.0)
        .rolling([hours(1), hours(24), days(7)])?
        .moments("spend", |p| p.amount);
    spend
        .latest()
        .map(Spend::from)
        .sink("online", online.clone())?;
    let spend_at = spend.finals(Paid::clone).map(SpendAt::from);
    let by_date = ParquetDir::create(files.spend()).by_date(|row: &SpendAt| row.event_time.0);
    spend_at.sink("offline", by_date.replace())?;

    let hourly = paid
        .key_by(|p| p.country.clone())
        .event_time(|p| p.event_time.0)
        .tumbling(hours(1))?
        .finals("hourly", (count(), totals(|p: &Paid| p.amount)))
        .map(Hourly::from);
    hourly.sink("hours", ParquetDir::create(files.hourly()).replace())?;

    drift::attach(&paid, &files, baselines)
}

/// The view `spend`: one row per user.
fn online(plan: &Plan) -> Result<OnlineSink<Spend>, StoreError> {
    let view = View::new(VIEW)
        .key(|row: &Spend| row.user.to_string())
        .version(|row| row.event_time.0);
    match &plan.demo.online {
        Place::Embedded => Ok(Embedded::view(&plan.demo.dir, view)),
        #[cfg(feature = "redis")]
        Place::Redis(url) => {
            let view = view.ttl(hours(REDIS_TTL_HOURS));
            Ok(thalweg_connectors::redis::Redis::connect(url).view(view))
        }
        #[cfg(not(feature = "redis"))]
        Place::Redis(_) => Err(StoreError::NoRedis),
    }
}
