//! The online store of an example against the file of the same answer: both must say the same of every entity.

use examples::online::Online;
use examples::places::Places;
use examples::retail::{self, Customer};
use thalweg::connectors::embedded::EmbeddedStore;
use thalweg::connectors::online::{OnlineStore, fields_of};
use thalweg::prelude::*;

use crate::compare::typed;
use crate::settings::{note, shared};

#[test]
fn the_online_store_holds_what_the_file_of_latest_customers_holds() {
    let data = shared().join("data");
    if !data.join("retail").is_dir() {
        return note("skipped: the online store of retail: its data is not there");
    }
    let out = tempfile::tempdir().unwrap();
    let places = Places {
        data,
        out: out.path().to_owned(),
        shuffle: Some(7),
        online: Some(Online::Embedded),
    };
    let ran = Config::workers(2).and_then(|config| retail::job(places).run(config));
    ran.unwrap_or_else(|error| panic!("{error}"));

    let customers: Vec<Customer> = typed(&out.path().join("rt_latest_customer.parquet")).unwrap();
    let ids: Vec<String> = customers.iter().map(|c| c.customer.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut store = EmbeddedStore::open_read_only(out.path().join("online.redb")).unwrap();
    let held = store.get_many("rt_customer", &ids, EventTime::MIN).unwrap();
    for (customer, held) in customers.iter().zip(held) {
        let held = held.unwrap_or_else(|| panic!("{customer:?} is not in the store"));
        assert_eq!(held.fields, fields_of(customer).unwrap());
        assert_eq!(held.row_time, customer.last_time.0);
    }
    note(&format!("online rt_customer: {} entities match", ids.len()));
}
