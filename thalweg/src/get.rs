//! `thalweg get`: what the online store serves for some entities, as a table or as JSON.

use std::path::PathBuf;

use thalweg_connectors::files::moment;
use thalweg_connectors::online::StoredRow;
use thalweg_engine::env::Env;

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
    rows: Vec<(String, Option<StoredRow>)>,
}

impl Get {
    /// Asks the store. Rows whose time to live is over by the clock are not found.
    ///
    /// # Errors
    /// [`StoreError`] when there is no store, or it cannot be read.
    pub fn run(&self, env: &Env) -> Result<Got, StoreError> {
        let mut store = self.place.open(&self.dir)?;
        let entities: Vec<&str> = self.entities.iter().map(String::as_str).collect();
        let found = store.get_many(&self.view, &entities, env.clock.wall())?;
        Ok(Got {
            view: self.view.clone(),
            rows: self.entities.iter().cloned().zip(found).collect(),
        })
    }
}

impl Got {
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
            text += &table(width, &header, lines(some));
            text.push('\n');
        }
        for (entity, _) in self.rows.iter().filter(|(_, row)| row.is_none()) {
            text += &format!("{} {entity}: not found\n", self.view);
        }
        text
    }

    /// An object per entity and line: `{"view":…,"entity":…,"found":true,"event_time":…,"epoch":…,"fields":{…}}`.
    ///
    /// A store holds text: what reads as a number, `true` or `false` is written as such, all else as a string.
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
                    let at = moment::rfc3339(row.row_time);
                    let fields: Vec<String> = row
                        .fields
                        .iter()
                        .map(|(name, value)| format!("{}:{}", quoted(name), json_value(value)))
                        .collect();
                    text += &format!(
                        ",\"found\":true,\"event_time\":{},\"epoch\":{},\"fields\":{{{}}}}}\n",
                        at.map_or_else(|| row.row_time.to_string(), |at| quoted(&at)),
                        row.version.epoch,
                        fields.join(",")
                    );
                }
            }
        }
        text
    }
}

/// The fields of some rows side by side, in the order of the first row that has them.
fn lines(rows: &[(&String, &StoredRow)]) -> Vec<Vec<String>> {
    let mut names: Vec<&str> = Vec::new();
    for (_, row) in rows {
        for (name, _) in &row.fields {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
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

fn json_value(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => text.trim().to_owned(),
        _ => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use thalweg_connectors::embedded::EmbeddedStore;
    use thalweg_connectors::online::{OnlineRow, OnlineStore, Version};

    use super::*;

    fn got(entities: &[&str]) -> Got {
        let dir = tempfile::tempdir().unwrap();
        let mut store = EmbeddedStore::open(dir.path()).unwrap();
        let version = Version {
            event_time: 1_709_208_000_000_000,
            epoch: (1 << 32) + 8,
        };
        let fields = [
            ("at", "1709208000000000"),
            ("n", "1234"),
            ("mean", "0.125"),
            ("name", "a \"b\""),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let row = OnlineRow::put("7", version, fields.to_vec());
        store.write("spend", None, &[row]).unwrap();
        drop(store);
        let get = Get {
            view: "spend".into(),
            entities: entities.iter().map(|entity| (*entity).to_owned()).collect(),
            place: Place::Embedded,
            dir: dir.path().to_owned(),
        };
        get.run(&Env::default()).unwrap()
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
            r#""fields":{"at":1709208000000000,"n":1234,"mean":0.125,"name":"a \"b\""}}"#,
            "\n",
            r#"{"view":"spend","entity":"8","found":false}"#,
            "\n",
        );
        assert_eq!(got.json_lines(), expected);
    }

    #[test]
    fn nothing_found_is_told_apart() {
        assert!(!got(&["8"]).any());
    }
}
