use super::*;
use crate::packages::fetch::Location;
use crate::packages::manifest::Dependency;

fn offer(name: &str, version: &str, deps: &[&str]) -> Offer {
    let dependency = |name: &&str| {
        (
            name.to_string(),
            Dependency {
                origin: format!("x/{name}"),
            },
        )
    };
    Offer {
        manifest: Manifest {
            name: name.into(),
            version: version.into(),
            origin: format!("x/{name}"),
            abi: "FreeBSD:14:amd64".into(),
            deps: deps.iter().map(dependency).collect(),
            ..Manifest::default()
        },
        sha256: format!("{name}{version}"),
        location: Location::File(name.into()),
        source: "here".into(),
    }
}

fn chosen(offers: &[Offer], wanted: &[&str], present: &[&str]) -> std::result::Result<Vec<String>, String> {
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let present = Present::new(present.iter().map(|path| path.as_bytes()));
    let choice = choose(offers, &wanted, &Abi::of("14.3").unwrap(), &present);
    let choice = choice.map_err(|error| error.to_string())?;
    Ok(choice.offers.iter().map(|offer| offer.manifest.full_name()).collect())
}

#[test]
fn dependencies_come_first_and_circles_end() {
    let offers = [
        offer("a", "1", &["b", "a"]),
        offer("b", "1", &["c"]),
        offer("c", "1", &["a"]),
    ];
    assert_eq!(chosen(&offers, &["a"], &[]).unwrap(), ["c-1", "b-1", "a-1"]);
}

#[test]
fn the_newest_is_taken_unless_another_is_named() {
    let offers = [offer("a", "1.9", &[]), offer("a", "1.10", &[])];
    assert_eq!(chosen(&offers, &["a"], &[]).unwrap(), ["a-1.10"]);
    assert_eq!(chosen(&offers, &["x/a"], &[]).unwrap(), ["a-1.10"]);
    assert_eq!(chosen(&offers, &["a-1.9"], &[]).unwrap(), ["a-1.9"]);
    assert!(
        chosen(&offers, &["a-1.9", "a"], &[])
            .unwrap_err()
            .contains("is asked for beside a-1.9")
    );
}

#[test]
fn libraries_come_from_the_base_or_from_a_package() {
    let mut offers = vec![offer("a", "1", &[]), offer("b", "1", &[])];
    offers[0].manifest.shlibs_required = vec!["libc.so.7".into(), "libb.so.1".into(), "libc.so.7:32".into()];
    offers[1].manifest.shlibs_provided = vec!["libb.so.1".into()];
    let base = ["lib/libc.so.7", "usr/lib32/libc.so.7"];
    assert_eq!(chosen(&offers, &["a"], &base).unwrap(), ["a-1", "b-1"]);
    let error = chosen(&offers, &["a"], &base[..1]).unwrap_err();
    assert!(
        error.contains("package a-1: needs the library libc.so.7:32, which is neither"),
        "{error}"
    );
}

#[test]
fn what_is_missing_is_named() {
    let error = chosen(&[offer("a", "1", &["b"])], &["a"], &[]).unwrap_err();
    assert!(
        error.contains("package a-1: needs b (x/b), which no source offers"),
        "{error}"
    );
    let error = chosen(&[offer("tmux", "1", &[])], &["tmu"], &[]).unwrap_err();
    assert!(error.contains("package tmu: is not on offer; there is tmux"), "{error}");
}

#[test]
fn other_systems_are_named() {
    let mut offers = [offer("a", "1", &["b"]), offer("b", "1", &[])];
    offers[1].manifest.abi = "FreeBSD:15:amd64".into();
    let error = chosen(&offers, &["b"], &[]).unwrap_err();
    assert!(
        error.contains("package b-1: is for FreeBSD:15:amd64, not for FreeBSD:14:amd64 (from here)"),
        "{error}"
    );
    let error = chosen(&offers, &["a"], &[]).unwrap_err();
    assert!(
        error.contains("needs b (x/b), which is for FreeBSD:15:amd64"),
        "{error}"
    );
}

#[test]
fn conflicts_are_named() {
    for pattern in ["b-[0-9]*", "b", "b-*"] {
        let mut offers = [offer("a", "1", &[]), offer("b", "2", &[])];
        offers[0].manifest.conflicts = vec![pattern.into()];
        let error = chosen(&offers, &["a", "b"], &[]).unwrap_err();
        assert!(error.contains("package a-1: cannot stand beside b-2"), "{error}");
    }
}
