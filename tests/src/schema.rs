//! Checks JSON against `docs/events.schema.json`: the part of JSON Schema (2020-12) that the document uses.
//!
//! A keyword that this file does not know is a fault, so the document cannot say something that nobody checks.

use regex::Regex;
use serde_json::{Map, Value};

use crate::market::Market;
use crate::process::Failure;

/// The schema of everything that the programs print with `--json`.
pub struct Schema {
    root: Value,
}

impl Schema {
    /// The schema in `docs/events.schema.json`.
    pub fn of_output() -> Self {
        let root = serde_json::from_str(include_str!("../../docs/events.schema.json"));
        Self { root: root.expect("the committed schema is JSON") }
    }

    /// The faults of a value that should match `#/$defs/<definition>`, each with the path to it; empty when it matches.
    pub fn faults(&self, definition: &str, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        match self.root["$defs"].get(definition) {
            Some(schema) => self.check(schema, value, "", &mut faults),
            None => faults.push(format!("the schema has no definition {definition:?}")),
        }
        faults
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(keywords) = schema.as_object() else {
            return faults.push(format!("{path}: the schema {schema} is not an object"));
        };
        for (keyword, expected) in keywords {
            let mut fault = |what: String| faults.push(format!("{path}: {what}"));
            match keyword.as_str() {
                "description" => {}
                "$ref" => match self.resolve(expected) {
                    Some(target) => self.check(target, value, path, faults),
                    None => fault(format!("the schema has no {expected}")),
                },
                "type" if !has_type(value, expected) => fault(format!("{value} is not of type {expected}")),
                "const" if value != expected => fault(format!("{value} is not {expected}")),
                "enum" if !items(expected).contains(value) => {
                    fault(format!("{value} is not one of {expected}"))
                }
                "pattern" if value.as_str().is_some_and(|text| !matches(expected.as_str(), text)) => {
                    fault(format!("{value} does not match {expected}"));
                }
                "minimum" if exceeds(expected, value) => fault(format!("{value} is below {expected}")),
                "maximum" if exceeds(value, expected) => fault(format!("{value} is above {expected}")),
                "type" | "const" | "enum" | "pattern" | "minimum" | "maximum" => {}
                "items" => {
                    for (at, item) in items(value).iter().enumerate() {
                        self.check(expected, item, &format!("{path}/{at}"), faults);
                    }
                }
                "properties" | "patternProperties" | "additionalProperties" => {}
                "required" => {
                    for name in items(expected).iter().filter_map(Value::as_str) {
                        if value.is_object() && value.get(name).is_none() {
                            fault(format!("{name:?} is missing"));
                        }
                    }
                }
                "allOf" => items(expected).iter().for_each(|each| self.check(each, value, path, faults)),
                "anyOf" | "oneOf" => self.check_choices(keyword, items(expected), value, path, faults),
                unknown => fault(format!("the schema's keyword {unknown:?} is not checked by this test")),
            }
        }
        if let Some(fields) = value.as_object() {
            self.check_fields(keywords, fields, path, faults);
        }
    }

    /// Every field by the schema of its name, by those of the patterns that its name matches, or not at all.
    fn check_fields(
        &self,
        keywords: &Map<String, Value>,
        fields: &Map<String, Value>,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        for (name, field) in fields {
            let path = format!("{path}/{name}");
            let named = keywords.get("properties").and_then(|properties| properties.get(name));
            let patterns = keywords.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            let matching =
                patterns.filter(|(pattern, _)| matches(Some(pattern), name)).map(|(_, schema)| schema);
            let schemas: Vec<&Value> = named.into_iter().chain(matching).collect();
            if schemas.is_empty() && keywords.get("additionalProperties") == Some(&Value::Bool(false)) {
                faults.push(format!("{path}: no such field"));
            }
            schemas.into_iter().for_each(|schema| self.check(schema, field, &path, faults));
        }
    }

    fn check_choices(
        &self,
        keyword: &str,
        choices: &[Value],
        value: &Value,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        let of_each: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut faults = Vec::new();
                self.check(choice, value, path, &mut faults);
                faults
            })
            .collect();
        let matching = of_each.iter().filter(|faults| faults.is_empty()).count();
        if matching > 1 && keyword == "oneOf" {
            faults.push(format!("{path}: {matching} of the schema's choices match"));
        }
        if matching > 0 {
            return;
        }
        // The event that it says it is has the faults worth reading.
        let same_event = |choice: &Value| {
            value["event"].is_string() && choice["properties"]["event"]["const"] == value["event"]
        };
        match choices.iter().position(same_event) {
            Some(at) => faults.extend(of_each.into_iter().nth(at).into_iter().flatten()),
            None => {
                faults.push(format!("{path}: {value} matches none of the schema's {} choices", choices.len()))
            }
        }
    }

    fn resolve(&self, reference: &Value) -> Option<&Value> {
        self.root.pointer(reference.as_str()?.strip_prefix('#')?)
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn has_type(value: &Value, expected: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        _ => false,
    };
    expected.as_str().is_some_and(is) || items(expected).iter().filter_map(Value::as_str).any(is)
}

/// Whether both are numbers and the left one is larger.
fn exceeds(left: &Value, right: &Value) -> bool {
    left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left > right)
}

fn matches(pattern: Option<&str>, text: &str) -> bool {
    pattern.and_then(|pattern| Regex::new(pattern).ok()).is_some_and(|regex| regex.is_match(text))
}

impl Market {
    /// The number of lines and results that the market's programs printed with `--json`, and the faults of those that
    /// do not match `docs/events.schema.json`.
    ///
    /// # Errors
    /// [`Failure::Io`] when the lines of a process cannot be read.
    pub fn faults_of_output(&self) -> Result<(usize, Vec<String>), Failure> {
        let schema = Schema::of_output();
        let (mut checked, mut faults) = (0, Vec::new());
        let mut check = |definition: &str, source: &str, value: &Value| {
            checked += 1;
            faults.extend(schema.faults(definition, value).iter().map(|fault| format!("{source}: {fault}")));
        };
        for (definition, value) in self.results.lock().expect("no holder panics").iter() {
            check(definition, definition, value);
        }
        let processes = self.trainers.iter().map(|trainer| (trainer.name(), "trainer"));
        for (name, definition) in processes.chain([("aggregator", "aggregator")]) {
            let path = self.folder.join(format!("logs/{name}.jsonl"));
            let lines = std::fs::read_to_string(&path).map_err(Failure::io(path.display().to_string()))?;
            for line in lines.lines() {
                let value = serde_json::from_str(line).unwrap_or_else(|_| Value::from(line));
                check(definition, name, &value);
            }
        }
        Ok((checked, faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn advanced() -> Value {
        json!({"event": "advanced", "round": 1, "phase": "wound-up", "gas": 1,
            "transaction": format!("0x{}", "a".repeat(64))})
    }

    #[test]
    fn a_line_with_any_wrong_field_is_refused_with_its_path() {
        let schema = Schema::of_output();
        assert_eq!(schema.faults("trainer", &advanced()), [""; 0]);
        assert_eq!(schema.faults("aggregator", &advanced()), [""; 0]);
        for (field, wrong, fault) in [
            ("phase", json!("woundup"), "/phase: \"woundup\" is not one of"),
            ("round", json!(-1), "/round: -1 is below 0"),
            ("round", json!("1"), "/round: \"1\" is not of type"),
            ("gas", json!(1.5), "/gas: 1.5 is not of type"),
            ("transaction", json!("0xab"), "/transaction: \"0xab\" does not match"),
            ("transaction", Value::Null, "/transaction: null is not of type"),
            ("tx", json!(1), "/tx: no such field"),
            ("event", json!("moved"), "matches none of the schema's 14 choices"),
        ] {
            let mut line = advanced();
            line[field] = wrong;
            let faults = schema.faults("trainer", &line).join("\n");
            assert!(faults.contains(fault), "{field}: {faults}");
        }
        for field in ["phase", "round", "gas", "transaction"] {
            let mut line = advanced();
            line.as_object_mut().unwrap().remove(field);
            assert_eq!(schema.faults("trainer", &line), [format!(": {field:?} is missing")]);
        }
        assert!(schema.faults("trainer", &json!([1])).join("").contains("matches none"));
        assert!(schema.faults("nobody", &advanced()).join("").contains("no definition"));
    }

    #[test]
    fn amounts_are_text_in_one_unit() {
        let schema = Schema::of_output();
        let ended = json!({"event": "ended", "phase": "completed", "settled": 1, "voids": 0});
        let with = |fields: &[(&str, Value)]| {
            let mut line = ended.clone();
            fields.iter().for_each(|(name, value)| line[*name] = value.clone());
            schema.faults("trainer", &line).join("\n")
        };
        assert_eq!(with(&[("owed_wei", json!("0"))]), "");
        assert_eq!(with(&[("owed_units", json!("340282366920938463463374607431768211455"))]), "");
        for (fields, fault) in [
            (vec![], "matches none of the schema's 2 choices"),
            (vec![("owed_wei", json!(1))], "/owed_wei: 1 is not of type"),
            (vec![("owed_wei", json!("01"))], "/owed_wei: \"01\" does not match"),
            (vec![("owed_ether", json!("1"))], "/owed_ether: no such field"),
            (vec![("owed_wei", json!("1")), ("owed_units", json!("1"))], "2 of the schema's choices match"),
        ] {
            assert!(with(&fields).contains(fault), "{fields:?}: {}", with(&fields));
        }
    }

    /// A definition that nothing reaches would be checked by nobody, and a reference to nothing would pass nothing.
    #[test]
    fn every_definition_is_used_and_every_reference_resolves() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => fields.iter().for_each(|(key, field)| match field.as_str() {
                    Some(text) if key == "$ref" => found.push(text.to_owned()),
                    _ => references(field, found),
                }),
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let Schema { root } = Schema::of_output();
        let mut found = Vec::new();
        references(&root, &mut found);
        assert!(found.iter().all(|name| root.pointer(&name[1..]).is_some()), "{found:?}");
        for name in root["$defs"].as_object().unwrap().keys() {
            assert!(found.contains(&format!("#/$defs/{name}")), "{name}");
        }
    }
}
