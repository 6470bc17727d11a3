//! A flow in the names of the Elastic Common Schema, for those who keep their flows in a search
//! engine. What the schema has no name for lies under `portolan`.
//!
//! In: a line of the flow list. Out: a JSON object. `event.duration` is in nanoseconds and
//! `network.bytes` counts whole frames, as the schema has it.

use serde_json::{Value, json};

use super::flows::FlowLine;
use crate::base::Timestamp;

/// Version of the schema whose names are used.
const ECS: &str = "8.11.0";

/// The line in names of the schema.
pub(super) fn ecs(line: &FlowLine) -> Value {
    let time = |text: &str| Timestamp::parse(text).unwrap_or_default();
    let duration = time(&line.last_seen).since(time(&line.first_seen));
    let mut event = json!({
        "@timestamp": line.first_seen,
        "ecs": { "version": ECS },
        "event": {
            "kind": "event",
            "category": ["network"],
            "type": ["connection"],
            "dataset": "portolan.flow",
            "module": "portolan",
            "start": line.first_seen,
            "end": line.last_seen,
            "duration": duration.max(0),
        },
        "source": end(&line.src_ip, line.src_port, line.src_packets, line.src_bytes),
        "destination": end(&line.dst_ip, line.dst_port, line.dst_packets, line.dst_bytes),
        "network": {
            "type": if line.src_ip.contains(':') { "ipv6" } else { "ipv4" },
            "transport": line.proto,
            "packets": line.packets,
            "bytes": line.bytes,
        },
        "file": { "name": line.file },
        "portolan": own(line),
    });
    let optional = [
        (
            "/network",
            "protocol",
            Some(&line.app).filter(|app| !app.is_empty()).map(|app| json!(app)),
        ),
        ("/network", "community_id", filled(&line.community_id)),
        ("/network", "vlan", line.src_vlan.map(|id| json!({ "id": id.to_string() }))),
        ("/event", "reason", filled(&line.reason)),
        ("", "rule", line.rules.first().map(|id| json!({ "id": id }))),
    ];
    for (place, name, value) in optional {
        let object = event.pointer_mut(place).and_then(Value::as_object_mut);
        if let (Some(object), Some(value)) = (object, value) {
            object.insert(name.to_owned(), value);
        }
    }
    event
}

fn filled(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!(text))
}

fn end(address: &str, port: u16, packets: u64, bytes: u64) -> Value {
    let mut end = json!({ "ip": address, "address": address, "packets": packets, "bytes": bytes });
    if let Some(object) = end.as_object_mut().filter(|_| port != 0) {
        object.insert("port".to_owned(), json!(port));
    }
    end
}

/// What the schema has no names for.
fn own(line: &FlowLine) -> Value {
    json!({
        "verdict": line.verdict,
        "strength": line.strength,
        "rules": line.rules,
        "waiver": line.waiver,
        "state": line.state,
        "direction_basis": line.direction_basis,
        "app_basis": line.app_basis,
        "instance": line.instance,
        "packet": line.packet,
        "file_packet": line.file_packet,
        "ip_bytes": line.ip_bytes,
        "source": {
            "payload_bytes": line.src_payload_bytes,
            "unseen_bytes": line.src_unseen_bytes,
            "vlan": line.src_vlan,
        },
        "destination": {
            "payload_bytes": line.dst_payload_bytes,
            "unseen_bytes": line.dst_unseen_bytes,
            "vlan": line.dst_vlan,
        },
        "copies": line.copies,
        "path": line.path,
        "paths_differ": line.paths_differ,
    })
}
