//! FreeBSD: GEOM tells what a disk is and whether anything has it open (geom(4)), as XML in `sysctl kern.geom.confxml`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use roxmltree::{Document, Node};

use super::drive::{Drive, Kind, Removable, Use};

/// What the tree of geoms tells of the device `path`.
///
/// # Errors
/// It is not GEOM's XML, or there is no such device in it.
pub fn drive(tree: &str, path: &Path) -> Result<Drive> {
    let name = path.strip_prefix("/dev").unwrap_or(path).display().to_string();
    let document = Document::parse(tree).context("kern.geom.confxml is not what geom(4) describes")?;
    let provider = provider(&document, &name)
        .with_context(|| format!("GEOM knows no disk {name}\nhint: name a disk, such as /dev/da0"))?;
    let geom = provider.parent_element().context("a provider lies in a geom")?;
    let class = geom
        .parent_element()
        .and_then(|class| child(class, "name"))
        .unwrap_or_default();
    let kind = if class == "PART" { Kind::Partition } else { Kind::Disk };
    let size = child(provider, "mediasize").and_then(|size| size.parse().ok());
    let sector = child(provider, "sectorsize").and_then(|size| size.parse().ok());
    ensure!(size != Some(0), "{}: has no medium\nhint: insert one", path.display());
    Ok(Drive {
        path: path.to_path_buf(),
        kind,
        size: size.context("the device's size is unknown")?,
        sector: sector.unwrap_or(512),
        model: config(provider, "descr").unwrap_or("of unknown make").to_owned(),
        removable: removable(&name),
        read_only: false,
        parts: parts(&document, provider),
        uses: uses(&document, provider),
    })
}

fn provider<'a>(document: &'a Document<'a>, name: &str) -> Option<Node<'a, 'a>> {
    let mut all = document.descendants().filter(|node| node.has_tag_name("provider"));
    all.find(|node| child(*node, "name") == Some(name))
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    node.children()
        .find(|child| child.has_tag_name(name))?
        .text()
        .map(str::trim)
}

fn config<'a>(node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    let config = node.children().find(|child| child.has_tag_name("config"))?;
    child(config, name).filter(|text| !text.is_empty())
}

/// The geoms that consume a provider, such as its partition table.
fn consumers<'a>(document: &'a Document<'a>, provider: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    let id = provider.attribute("id");
    let reference = |node: Node<'a, 'a>| {
        let provider = node.children().find(|child| child.has_tag_name("provider"));
        provider.and_then(|provider| provider.attribute("ref"))
    };
    { document.descendants() }
        .filter(|node| node.has_tag_name("consumer") && reference(*node) == id)
        .filter_map(|consumer| consumer.parent_element())
        .collect()
}

fn class_of<'a>(geom: Node<'a, 'a>) -> &'a str {
    geom.parent_element()
        .and_then(|class| child(class, "name"))
        .unwrap_or("unknown")
}

fn parts<'a>(document: &'a Document<'a>, provider: Node<'a, 'a>) -> Vec<String> {
    let tables = consumers(document, provider)
        .into_iter()
        .filter(|geom| class_of(*geom) == "PART");
    let parts = tables.flat_map(|table| table.children().filter(|child| child.has_tag_name("provider")));
    parts.map(describe).collect()
}

fn describe(part: Node<'_, '_>) -> String {
    let text = |name| config(part, name).unwrap_or_default();
    let size = child(part, "mediasize")
        .and_then(|size| size.parse::<u64>().ok())
        .unwrap_or_default();
    format!(
        "{} {} `{}`: {:.1} GB",
        child(part, "name").unwrap_or_default(),
        text("type"),
        text("label"),
        size as f64 / 1e9
    )
}

/// Whoever mounts a partition, swaps to it or has it in a pool has the disk below it open, too.
fn uses<'a>(document: &'a Document<'a>, provider: Node<'a, 'a>) -> Vec<Use> {
    let mode = child(provider, "mode").unwrap_or_default();
    if mode == "r0w0e0" {
        return Vec::new();
    }
    let mut users = Vec::new();
    gather_users(document, provider, &mut users);
    let users = if users.is_empty() {
        "something".into()
    } else {
        users.join(", ")
    };
    vec![Use {
        device: format!("/dev/{}", child(provider, "name").unwrap_or_default()),
        what: format!("open ({mode}) for {users}"),
    }]
}

fn gather_users<'a>(document: &'a Document<'a>, provider: Node<'a, 'a>, users: &mut Vec<String>) {
    const DEEPEST: usize = 64;
    for geom in consumers(document, provider) {
        let class = class_of(geom);
        let open = { geom.children().filter(|child| child.has_tag_name("consumer")) }
            .any(|consumer| child(consumer, "mode").is_some_and(|mode| mode != "r0w0e0"));
        if open && users.len() < DEEPEST {
            users.push(format!("{class} {}", child(geom, "name").unwrap_or_default()));
            for below in geom.children().filter(|child| child.has_tag_name("provider")) {
                gather_users(document, below, users);
            }
        }
    }
}

/// GEOM does not tell; memory cards have a driver of their own.
fn removable(name: &str) -> Removable {
    match name.starts_with("mmcsd") {
        true => Removable::Yes,
        false => Removable::No,
    }
}
