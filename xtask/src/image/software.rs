//! What module and programs are made of, as cargo resolves it, for the bill of materials.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use ngforge_image::sbom::Software;
use xshell::{Shell, cmd};

use crate::base::Base;
use crate::kmod::Series;
use crate::{tools, util};

/// How cargo is to show a package, behind its depth.
const LINE: &str = "|{p}|{l}";

/// A package of ours, the name it has in the image, and what it is built for.
struct Root {
    package: &'static str,
    name: &'static str,
    target: &'static str,
    features: Vec<String>,
}

/// Everything that the module and the programs of an image are made of, as far as the build makes them.
///
/// # Errors
/// cargo cannot tell.
pub fn of(shell: &Shell, base: Base, release: &str, module: bool, programs: bool) -> Result<Vec<Software>> {
    let mut roots = Vec::new();
    if module {
        roots.push(Root {
            package: "ng_socket",
            name: "ng_socket.ko",
            target: tools::FREEBSD,
            features: vec![
                "--no-default-features".into(),
                format!("--features={}", Series::of(release)?),
            ],
        });
    }
    if programs {
        let (names, target) = match base {
            Base::Freebsd => (&tools::PROGRAMS[..], tools::FREEBSD),
            Base::Hosted => (&tools::HOSTED_PROGRAMS[..], tools::LINUX),
        };
        roots.extend(names.iter().map(|name| Root {
            package: tools::package_of(name),
            name,
            target,
            features: Vec::new(),
        }));
    }
    let sums = checksums(&fs::read_to_string(util::root().join("Cargo.lock"))?);
    let mut all = BTreeSet::new();
    for root in roots {
        let Root {
            package,
            target,
            features,
            ..
        } = &root;
        let tree = cmd!(
            shell,
            "cargo tree --locked --package {package} --target {target} {features...} --no-dedupe"
        )
        .args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", LINE]);
        let tree = tree
            .quiet()
            .read()
            .with_context(|| format!("cargo cannot say what {package} is made of"))?;
        all.extend(parse(&tree, root.name, &sums));
    }
    Ok(all.into_iter().collect())
}

/// The packages of a tree whose lines are `<depth>|<name> v<version>[ (<place>)]|<licence>`; the first is called `root`.
fn parse(tree: &str, root: &str, sums: &BTreeMap<(String, String), String>) -> Vec<Software> {
    let mut path: Vec<Software> = Vec::new();
    let mut found: BTreeMap<String, Software> = BTreeMap::new();
    for line in tree.lines() {
        let Some((depth, software)) = entry(line, root, sums) else {
            continue;
        };
        path.truncate(depth);
        if let Some(above) = path.last().and_then(|above| found.get_mut(&above.key())) {
            above.depends.push(software.key());
        }
        found.entry(software.key()).or_insert_with(|| software.clone());
        path.push(software);
    }
    for software in found.values_mut() {
        software.depends.sort();
        software.depends.dedup();
    }
    found.into_values().collect()
}

fn entry(line: &str, root: &str, sums: &BTreeMap<(String, String), String>) -> Option<(usize, Software)> {
    let mut fields = line.split('|');
    let depth: usize = fields.next()?.parse().ok()?;
    let (name, version) = fields.next()?.split_once(" v")?;
    let version = version.split(' ').next().unwrap_or(version);
    // An older spelling of a choice that SPDX does not know.
    let licence = fields
        .next()
        .filter(|text| !text.is_empty())
        .map(|text| text.replace('/', " OR "));
    let purl = format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"));
    let software = Software {
        name: if depth == 0 { root } else { name }.into(),
        version: version.into(),
        licence,
        sha256: sums.get(&(name.into(), version.into())).cloned(),
        purl: (depth > 0).then_some(purl),
        depends: Vec::new(),
    };
    Some((depth, software))
}

/// SHA-256 of each package of Cargo.lock by name and version; those of the workspace have none.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |block: &str, key: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    { lock.split("[[package]]") }
        .filter_map(|block| {
            let package = (value(block, "name")?, value(block, "version")?);
            Some((package, value(block, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0|ng v0.1.0 (/x/ng)|BSD-2-Clause\n1|a v1.0.0|MIT/Apache-2.0\n2|b v2.0.0+x|\n1|b v2.0.0+x|\n";
    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"ff\"\n\n[[package]]\nname = \"ng\"\n\
                        version = \"0.1.0\"\n";

    #[test]
    fn each_package_has_its_dependencies_licence_and_checksum() {
        let all = parse(TREE, "ng", &checksums(LOCK));
        let find = |name: &str| all.iter().find(|one| one.name == name).unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!(find("ng").depends, ["pkg:cargo/a@1.0.0", "pkg:cargo/b@2.0.0%2Bx"]);
        assert_eq!(find("a").depends, ["pkg:cargo/b@2.0.0%2Bx"]);
        assert_eq!(find("a").licence.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(find("a").sha256.as_deref(), Some("ff"));
        assert_eq!((&find("ng").purl, &find("b").licence), (&None, &None));
    }
}
