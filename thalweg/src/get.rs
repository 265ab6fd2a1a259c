//! `thalweg get`: what the online store serves for some entities, as a table or as JSON.

use std::path::PathBuf;

use thalweg_connectors::files::moment;
use thalweg_connectors::online::{StoredRow, names_in};
use thalweg_engine::env::Env;

use crate::demo::online_elsewhere;
use crate::store::{Place, StoreError};
use crate::text::{amount, table};

/// Entities that stand side by side in one table.
const SIDE_BY_SIDE: usize = 3;

/// What to look up.
#[derive(Clone, Debug)]
pub struct Get {
    /// The view.
    pub view: String,
    /// The entities, in the order in which they are shown.
    pub entities: Vec<String>,
    /// The store.
    pub place: Place,
    /// The folder of an embedded store.
    pub dir: PathBuf,
}

/// What was found, in the order asked for.
#[derive(Clone, Debug)]
pub struct Got {
    view: String,
    place: Place,
    /// The view's fields, in their order.
    names: Vec<String>,
    rows: Vec<(String, Option<StoredRow>)>,
}

impl Get {
    /// Asks the store. Rows whose time to live is over by the clock are not found.
    ///
    /// # Errors
    /// [`StoreError`] when there is no store, it cannot be read, or it is known to hold no such view.
    pub fn run(&self, env: &Env) -> Result<Got, StoreError> {
        let mut store = self.place.open(&self.dir).map_err(or_elsewhere)?;
        let entities: Vec<&str> = self.entities.iter().map(String::as_str).collect();
        let found = store.get_many(&self.view, &entities, env.clock.wall())?;
        if found.iter().all(Option::is_none) {
            self.place.check_view(&self.dir, &self.view)?;
        }
        let mut names = self.place.field_names(&self.dir, &self.view)?;
        for name in names_in(found.iter().flatten().map(|row| &row.fields)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Got {
            view: self.view.clone(),
            place: self.place.clone(),
            names,
            rows: self.entities.iter().cloned().zip(found).collect(),
        })
    }
}

/// Where a demo wrote to another store than the one in its folder, that is what to say.
fn or_elsewhere(error: StoreError) -> StoreError {
    match error {
        StoreError::Missing { dir } => match online_elsewhere(&dir) {
            Some(address) => StoreError::Elsewhere { dir, address },
            None => StoreError::Missing { dir },
        },
        error => error,
    }
}

impl Got {
    /// What to look at where nothing was found in a store that keeps no list of its views.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.place {
            Place::Redis(_) if !self.any() => Some(format!(
                "nothing was found; to see what {0} holds: redis-cli -u {0} --scan --pattern 'features:*' | head (a key \
                 is features:VIEW:ENTITY)",
                self.place
            )),
            _ => None,
        }
    }

    /// Whether any of the entities has a row.
    #[must_use]
    pub fn any(&self) -> bool {
        self.rows.iter().any(|(_, row)| row.is_some())
    }

    /// Tables no wider than `width`: a line per field, a column per entity; then the entities without a row.
    #[must_use]
    pub fn tables(&self, width: u16) -> String {
        let found: Vec<(&String, &StoredRow)> = self
            .rows
            .iter()
            .filter_map(|(entity, row)| Some((entity, row.as_ref()?)))
            .collect();
        let mut text = String::new();
        for some in found.chunks(SIDE_BY_SIDE) {
            let mut header = vec![self.view.as_str()];
            header.extend(some.iter().map(|(entity, _)| entity.as_str()));
            text += &table(width, &header, lines(&self.names, some));
            text.push('\n');
        }
        for (entity, _) in self.rows.iter().filter(|(_, row)| row.is_none()) {
            text += &format!("{} {entity}: not found\n", self.view);
        }
        text
    }

    /// An object per entity and line: `{"view":…,"entity":…,"found":true,"event_time":…,"epoch":…,"fields":{…}}`.
    ///
    /// A store holds text: what reads as a number, `true` or `false` is written as such, the row's own event time in
    /// RFC 3339, a field that other rows of the view have and this one has not as null, all else as a string.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for (entity, row) in &self.rows {
            text += &format!(
                "{{\"view\":{},\"entity\":{}",
                quoted(&self.view),
                quoted(entity)
            );
            match row {
                None => text += ",\"found\":false}\n",
                Some(row) => {
                    let field = |name: &String| {
                        format!("{}:{}", quoted(name), json_field(row, row.field(name)))
                    };
                    let fields: Vec<String> = self.names.iter().map(field).collect();
                    text += &format!(
                        ",\"found\":true,\"event_time\":{},\"epoch\":{},\"fields\":{{{}}}}}\n",
                        json_moment(row.row_time),
                        row.version.epoch,
                        fields.join(",")
                    );
                }
            }
        }
        text
    }
}

/// The fields of some rows side by side.
fn lines(names: &[String], rows: &[(&String, &StoredRow)]) -> Vec<Vec<String>> {
    let line = |title: &str, cell: &dyn Fn(&StoredRow) -> String| {
        let mut line = vec![title.to_owned()];
        line.extend(rows.iter().map(|(_, row)| cell(row)));
        line
    };
    let mut lines: Vec<Vec<String>> = names
        .iter()
        .map(|name| line(name, &|row| shown(row, row.field(name))))
        .collect();
    lines.push(line("event time (UTC)", &|row| plain(row.row_time)));
    lines.push(line("written in", &|row| {
        let (generation, number) = (row.version.epoch >> 32, row.version.epoch & 0xFFFF_FFFF);
        format!("epoch {number} of generation {generation}")
    }));
    lines
}

/// A field for people; the row's own event time as a moment.
fn shown(row: &StoredRow, value: Option<&str>) -> String {
    match value {
        None => "null".to_owned(),
        Some(value) if value.parse() == Ok(row.row_time) => plain(row.row_time),
        Some(value) => amount(value),
    }
}

fn plain(at: i64) -> String {
    moment::plain(at).unwrap_or_else(|| at.to_string())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json_moment(at: i64) -> String {
    moment::rfc3339(at).map_or_else(|| at.to_string(), |at| quoted(&at))
}

fn json_field(row: &StoredRow, value: Option<&str>) -> String {
    match value {
        None => "null".to_owned(),
        Some(value) if value.parse() == Ok(row.row_time) => json_moment(row.row_time),
        Some(value) => json_value(value),
    }
}

fn json_value(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => text.trim().to_owned(),
        _ => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use thalweg_connectors::embedded::EmbeddedStore;
    use thalweg_connectors::online::{OnlineRow, OnlineStore, Version};

    use super::*;

    fn got(entities: &[&str]) -> Got {
        let dir = tempfile::tempdir().unwrap();
        get_in(dir.path(), "spend", entities).unwrap()
    }

    fn get_in(dir: &Path, view: &str, entities: &[&str]) -> Result<Got, StoreError> {
        let mut store = EmbeddedStore::open(dir).unwrap();
        let version = Version {
            event_time: 1_709_208_000_000_000,
            epoch: (1 << 32) + 8,
        };
        let fields = [
            ("event_time", "1709208000000000"),
            ("n", "1234"),
            ("mean", "0.125"),
            ("name", "a \"b\""),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let rows = [
            OnlineRow::put("7", version, fields.to_vec()),
            OnlineRow::put("9", version, fields[..2].to_vec()),
        ];
        store.write("spend", None, &rows).unwrap();
        drop(store);
        let get = Get {
            view: view.into(),
            entities: entities.iter().map(|entity| (*entity).to_owned()).collect(),
            place: Place::Embedded,
            dir: dir.to_owned(),
        };
        get.run(&Env::default())
    }

    #[test]
    fn what_is_there_is_shown_and_what_is_not_is_said() {
        let got = got(&["8", "7"]);
        assert!(got.any());
        let text = got.tables(80);
        for part in [
            "2024-02-29 12:00:00",
            "1,234",
            "0.12",
            "a \"b\"",
            "epoch 8 of generation 1",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.ends_with("spend 8: not found\n"), "{text}");
    }

    #[test]
    fn json_has_a_line_per_entity_with_numbers_as_numbers() {
        let got = got(&["7", "8"]);
        let expected = concat!(
            r#"{"view":"spend","entity":"7","found":true,"event_time":"2024-02-29T12:00:00Z","epoch":4294967304,"#,
            r#""fields":{"event_time":"2024-02-29T12:00:00Z","n":1234,"mean":0.125,"name":"a \"b\""}}"#,
            "\n",
            r#"{"view":"spend","entity":"8","found":false}"#,
            "\n",
        );
        assert_eq!(got.json_lines(), expected);
    }

    #[test]
    fn a_field_that_only_other_rows_have_is_null() {
        let fields =
            r#""fields":{"event_time":"2024-02-29T12:00:00Z","n":1234,"mean":null,"name":null}}"#;
        let line = got(&["9"]).json_lines();
        assert!(line.contains(fields), "{line}");
        assert!(got(&["9"]).tables(80).contains("null"));
    }

    #[test]
    fn nothing_found_is_told_apart() {
        assert!(!got(&["8"]).any());
        assert_eq!(got(&["8"]).hint(), None);
    }

    #[test]
    fn an_unknown_view_names_those_that_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let error = get_in(dir.path(), "spnd", &["7"]).unwrap_err().to_string();
        assert!(
            error.contains("no view \"spnd\"") && error.ends_with("it holds spend"),
            "{error}"
        );
    }
}
