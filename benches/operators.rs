//! first look
use benches::{data, measure::measured, workload::*};
use std::sync::Arc;
use thalweg::prelude::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (n, u) = if args.iter().any(|a| a == "large") {
        (10_000_000, 1_000_000)
    } else {
        (1_000_000, 100_000)
    };
    let w = if args.iter().any(|a| a == "w2") { 2 } else { 1 };
    let rows = Arc::new(data::payments(n, u));
    for _ in 0..3 {
        for expiry in [Expiry::AtNextEvent, Expiry::AtWatermark] {
            let digest = Digest::default();
            let job = rolling_latest(rows.clone(), w, expiry, digest.clone());
            let (r, c) =
                measured(|| job.run(Config::workers(w).unwrap().epoch_rows(8192).unwrap()));
            let r = r.unwrap();
            println!(
                "{expiry:?} {:.2} M/cpu-s wall {:.2}s cpu {:.2} rows {} sum {}",
                n as f64 / c.cpu_s / 1e6,
                c.wall_s,
                c.cpu_s,
                digest.rows(),
                digest.sum()
            );
            for (k, m) in r.metrics.operators() {
                println!("  {k:?} {m:?}");
            }
        }
        let digest = Digest::default();
        let job = rolling_final(rows.clone(), w, digest.clone());
        let (r, c) = measured(|| job.run(Config::workers(w).unwrap().epoch_rows(8192).unwrap()));
        let r = r.unwrap();
        println!(
            "final {:.2} M/cpu-s wall {:.2}s rows {} sum {}\n{r}",
            n as f64 / c.cpu_s / 1e6,
            c.wall_s,
            digest.rows(),
            digest.sum()
        );
    }
}
