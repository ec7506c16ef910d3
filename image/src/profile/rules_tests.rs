use super::*;
use crate::tree::{Body, Node, display};
use crate::ufs::inode::Attributes;

const TEXT: &str = "name: x\nprune:\n  - usr/share\n  - etc/gone\nkeep:\n  - usr/share/misc\n";

fn tree(paths: &[&str]) -> Tree {
    let mut tree = Tree::new();
    for path in paths {
        let node = Node {
            attributes: Attributes::default(),
            body: Body::Symlink(b"x".to_vec()),
            origin: 0,
        };
        tree.insert(path.as_bytes(), node).unwrap();
    }
    tree
}

fn rules(profile: Profile, prune: &[&str], keep: &[&str]) -> Rules {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Rules::new(profile, &owned(prune), &owned(keep), "a.yaml", TEXT).unwrap()
}

fn left(tree: &Tree) -> Vec<String> {
    tree.iter()
        .map(|(path, _)| display(path))
        .filter(|path| path != "/")
        .collect()
}

#[test]
fn keep_wins_over_prune_and_brings_its_folders() {
    let mut tree = tree(&["usr/share/misc/termcap", "usr/share/dict/words"]);
    rules(Profile::Full, &["usr/share"], &["usr/share/misc"]).apply(&mut tree);
    assert_eq!(
        left(&tree),
        ["/usr", "/usr/share", "/usr/share/misc", "/usr/share/misc/termcap"]
    );
}

#[test]
fn the_appliance_wins_over_its_profile() {
    let paths = ["usr/lib/debug/x", "bin/sh"];
    let mut kept = tree(&paths);
    rules(Profile::Full, &[], &["usr/lib/debug"]).apply(&mut kept);
    assert!(left(&kept).contains(&"/usr/lib/debug/x".to_owned()));
    let mut pruned = tree(&paths);
    rules(Profile::Tiny, &["bin/sh"], &[]).apply(&mut pruned);
    assert!(!left(&pruned).contains(&"/bin/sh".to_owned()));
}

#[test]
fn a_rule_knows_its_line() {
    let rules = rules(Profile::Full, &["usr/share", "etc/gone"], &["usr/share/misc"]);
    let mut tree = tree(&["usr/share/x", "etc/gone"]);
    let selected = rules.apply(&mut tree);
    let place = |path: &[u8]| rules.get(selected.gone[path].1).place.clone();
    assert_eq!(place(b"usr/share/x"), "a.yaml:3");
    assert_eq!(place(b"etc/gone"), "a.yaml:4");
}

#[test]
fn patterns_that_match_nothing_are_named_with_a_neighbour() {
    let rules = rules(Profile::Full, &["usr/shar", "usr/*.nothing"], &["bin/sh"]);
    let mut tree = tree(&["usr/share/x", "bin/sh"]);
    let before: Vec<Vec<u8>> = tree.iter().map(|(path, _)| path.to_vec()).collect();
    rules.apply(&mut tree);
    let known: Vec<&[u8]> = before.iter().map(Vec::as_slice).collect();
    let idle = rules.idle(&known);
    assert_eq!(idle.len(), 2, "{idle:?}");
    assert!(
        idle[0].contains("`usr/shar` matches nothing; did you mean `usr/share`?"),
        "{idle:?}"
    );
    assert!(idle[1].ends_with("`usr/*.nothing` matches nothing"), "{idle:?}");
}
