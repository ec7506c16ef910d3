//! The software bill of materials `<name>.cdx.json`: CycloneDX 1.6 (ECMA-424), as JSON.
//!
//! Components are what was put into the image: FreeBSD's sets or Debian's packages, further packages, our module and
//! programs, and the crates that these were made of. The same inputs give the same text: serial number and time follow from
//! them, too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::gpt;
use crate::hash;
use crate::lock::{Pin, Pins};

/// Where CycloneDX has the schema of this version.
const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";
const VERSION: &str = "1.6";
/// Ends of the names of FreeBSD's distribution sets and of the list of them.
const SETS: [&str; 2] = [".txz", crate::sets::MANIFEST];

/// A crate, the standard library, or one of our programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SPDX expression, if it says one.
    pub licence: Option<String>,
    /// SHA-256 of the package it came as, in hexadecimal; of the file, if it is a program of the image.
    pub sha256: Option<String>,
    /// Package URL, such as `pkg:cargo/libc@0.2.1`; programs have none.
    pub purl: Option<String>,
    /// Keys ([`Software::key`]) of what it is made of.
    pub depends: Vec<String>,
}

impl Software {
    /// What names it among all components.
    pub fn key(&self) -> String {
        self.purl
            .clone()
            .unwrap_or_else(|| format!("{}@{}", self.name, self.version))
    }
}

/// What the list is about.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// The image's name.
    pub name: &'a str,
    /// FreeBSD's release.
    pub release: &'a str,
    /// Debian's suite, of a hosted base.
    pub suite: Option<&'a str>,
    /// SHA-256 over everything it depends on.
    pub key: &'a str,
    /// Its time in seconds since 1970, if it has one.
    pub time: Option<i64>,
    /// What it was built from.
    pub inputs: &'a Pins,
    /// What was made for it.
    pub software: &'a [Software],
    /// SHA-256 by name, of what lies in the image under these names.
    pub sums: &'a BTreeMap<String, String>,
}

/// The list's text.
pub fn text(image: &Image<'_>) -> String {
    let inputs = image.inputs.iter().map(|(name, pin)| input(image, name, pin));
    let software = image.software.iter().map(|one| program(image, one));
    let mut components: Vec<Value> = inputs.chain(software).collect();
    components.sort_by_key(reference);
    components.dedup_by_key(|component| reference(component));
    let mut metadata = json!({"component": whole(image), "tools": {"components": [
        {"type": "application", "name": "ngforge", "version": env!("CARGO_PKG_VERSION")}
    ]}});
    if let Some(time) = image.time {
        metadata["timestamp"] = json!(timestamp(time));
    }
    let list = json!({
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": format!("urn:uuid:{}", uuid(image.key)),
        "version": 1,
        "metadata": metadata,
        "dependencies": dependencies(image, &components),
        "components": components,
    });
    serde_json::to_string_pretty(&list).unwrap_or_default() + "\n"
}

fn reference(component: &Value) -> String {
    component["bom-ref"].as_str().unwrap_or_default().into()
}

fn whole(image: &Image<'_>) -> Value {
    json!({"type": "firmware", "bom-ref": image.name, "name": image.name, "version": image.release})
}

/// A file from elsewhere.
fn input(image: &Image<'_>, name: &str, pin: &Pin) -> Value {
    let is_set = SETS.iter().any(|end| name.ends_with(end));
    let (kind, version, purl) = match (&pin.version, image.suite) {
        (Some(version), Some(suite)) => ("library", version.clone(), Some(debian(name, version, suite))),
        (Some(version), None) => ("library", version.clone(), Some(generic(name, version))),
        (None, _) if is_set => ("operating-system", image.release.into(), None),
        (None, _) => ("file", image.release.into(), None),
    };
    let key = purl.clone().unwrap_or_else(|| format!("{name}@{version}"));
    let mut component = json!({"type": kind, "bom-ref": key, "name": name, "version": version});
    put_hash(&mut component, pin.sha256.as_ref());
    if let Some(purl) = purl {
        component["purl"] = json!(purl);
    }
    if let Some(source) = &pin.source {
        component["externalReferences"] = json!([{"type": "distribution", "url": source}]);
    }
    component
}

fn program(image: &Image<'_>, software: &Software) -> Value {
    let kind = if software.purl.is_some() {
        "library"
    } else {
        "application"
    };
    let Software { name, version, .. } = software;
    let mut component = json!({"type": kind, "bom-ref": software.key(), "name": name, "version": version});
    let sum = software.sha256.as_ref().or_else(|| image.sums.get(name));
    put_hash(&mut component, sum);
    if let Some(licence) = &software.licence {
        component["licenses"] = json!([{"expression": licence}]);
    }
    if let Some(purl) = &software.purl {
        component["purl"] = json!(purl);
    }
    component
}

fn put_hash(component: &mut Value, sum: Option<&String>) {
    if let Some(sum) = sum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
}

/// The image depends on what nothing else depends on, and each component on what it says.
fn dependencies(image: &Image<'_>, components: &[Value]) -> Vec<Value> {
    let edges: BTreeMap<String, &Vec<String>> =
        { image.software.iter() }.map(|one| (one.key(), &one.depends)).collect();
    let inner = |key: &String| edges.values().any(|depends| depends.contains(key));
    let keys: Vec<String> = components.iter().map(reference).collect();
    let outer: Vec<&String> = keys.iter().filter(|key| !inner(key)).collect();
    let mut all = vec![json!({"ref": image.name, "dependsOn": outer})];
    all.extend(keys.iter().map(|key| match edges.get(key) {
        Some(depends) if !depends.is_empty() => json!({"ref": key, "dependsOn": depends}),
        _ => json!({"ref": key}),
    }));
    all
}

/// Package URLs as <https://github.com/package-url/purl-spec> has them.
fn debian(name: &str, version: &str, suite: &str) -> String {
    format!("pkg:deb/debian/{}@{}?distro={suite}", escaped(name), escaped(version))
}

fn generic(name: &str, version: &str) -> String {
    format!("pkg:generic/{}@{}", escaped(name), escaped(version))
}

/// Percent-encodes all but the characters that a package URL has as they are.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte);
    { text.bytes() }
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// A UUID that depends on nothing but the key (RFC 9562, version 8).
fn uuid(key: &str) -> String {
    let mut bytes = gpt::derived_guid(&format!("sbom {key}"));
    bytes[6] = bytes[6] & 0x0f | 0x80;
    let hex = hash::hex(&bytes);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

/// Seconds since 1970 as RFC 3339 has them, in UTC; before 1970 it is 1970.
fn timestamp(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day so many days after 1970-01-01, counted in 400-year cycles that begin in March.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + carry, month, day - first + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Value {
        let software = [
            Software {
                name: "ng".into(),
                version: "0.1.0".into(),
                depends: vec!["pkg:cargo/libc@0.2.1".into()],
                ..Software::default()
            },
            Software {
                name: "libc".into(),
                version: "0.2.1".into(),
                licence: Some("MIT OR Apache-2.0".into()),
                purl: Some("pkg:cargo/libc@0.2.1".into()),
                ..Software::default()
            },
        ];
        let inputs = [
            ("base.txz".into(), Pin::file("a".repeat(64))),
            ("libc6".into(), Pin::file("b".repeat(64)).of_version("2.36-9+deb12u4")),
        ];
        let image = Image {
            name: "test",
            release: "14.3",
            suite: Some("bookworm"),
            key: "k",
            time: Some(1_700_000_000),
            inputs: &inputs.into(),
            software: &software,
            sums: &[("ng".into(), "c".repeat(64))].into(),
        };
        serde_json::from_str(&text(&image)).unwrap()
    }

    fn component(name: &str) -> Value {
        let list = list();
        let all = list["components"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    }

    #[test]
    fn inputs_and_what_programs_are_made_of_are_components() {
        assert_eq!(component("base.txz")["type"], "operating-system");
        assert_eq!(
            component("libc6")["purl"],
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?distro=bookworm"
        );
        assert_eq!(component("ng")["hashes"][0]["content"], "c".repeat(64));
        assert_eq!(component("libc")["licenses"][0]["expression"], "MIT OR Apache-2.0");
    }

    #[test]
    fn dependencies_name_components_and_each_is_reached() {
        let list = list();
        let depends: BTreeMap<&str, &Value> = { list["dependencies"].as_array().unwrap().iter() }
            .map(|one| (one["ref"].as_str().unwrap(), &one["dependsOn"]))
            .collect();
        assert_eq!(depends["ng@0.1.0"], &json!(["pkg:cargo/libc@0.2.1"]));
        let outer = depends["test"].as_array().unwrap();
        assert_eq!(outer.len(), 3, "{outer:?}");
        assert!(!outer.contains(&json!("pkg:cargo/libc@0.2.1")));
    }

    #[test]
    fn number_and_time_follow_from_the_inputs() {
        assert_eq!(list()["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
        let number = list()["serialNumber"].as_str().unwrap().to_owned();
        assert_eq!(number, list()["serialNumber"]);
        assert_eq!((number.len(), &number[23..24]), (45, "8"), "{number}");
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
