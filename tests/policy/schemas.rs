//! The published JSON Schemas against the loaders. Validation by an independent implementation is
//! `scripts/validate-schemas.py`.

use portolan::judge::schema;
use serde_json::Value;

fn check(name: &str, generated: &Value) {
    let path = format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{}\n", serde_json::to_string_pretty(generated).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "{path} is not up to date: run `UPDATE=1 cargo test schemas`");
}

#[test]
fn the_published_schemas_are_the_generated_ones() {
    check("policy", &schema::policy());
    check("site", &schema::site());
    check("waivers", &schema::waivers());
}

/// Every object of a schema that has properties refuses others, as the loaders do.
fn refuses_unknown_fields(schema: &Value, path: &str) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                assert_eq!(object.get("additionalProperties"), Some(&Value::Bool(false)), "{path}");
            }
            for (key, inner) in object {
                refuses_unknown_fields(inner, &format!("{path}/{key}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                refuses_unknown_fields(item, path);
            }
        }
        _ => {}
    }
}

#[test]
fn the_schemas_refuse_unknown_fields() {
    for schema in [schema::policy(), schema::site(), schema::waivers()] {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["properties"]["schema"]["const"], 1);
        refuses_unknown_fields(&schema, "");
    }
}
