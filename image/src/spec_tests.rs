use super::*;

const LEAST: &str = "name: gate\nhostname: gate\nrelease: \"14.3\"\nnics: 3\n";

fn parse(text: &str) -> Result<Spec> {
    Spec::parse(text, Path::new("appliance.yaml"))
}

fn complaint(extra: &str) -> String {
    parse(&format!("{LEAST}{extra}")).unwrap_err().to_string()
}

#[test]
fn four_keys_are_enough() {
    let spec = parse(LEAST).unwrap();
    assert_eq!(spec.sets, ["base", "kernel"]);
    assert_eq!(spec.formats, [Format::Raw, Format::Qcow2]);
    assert_eq!(spec.module, "boot/kernel/ng_socket.ko");
}

#[test]
fn unknown_keys_are_located_and_a_neighbour_suggested() {
    let error = complaint("pruned: []\n");
    assert!(error.starts_with("appliance.yaml:5:1: unknown key `pruned`"), "{error}");
    assert!(error.contains("did you mean `prune`?"), "{error}");
}

#[test]
fn unknown_keys_below_others_are_located_too() {
    let error = complaint("ssh:\n  authorised_keys: []\n");
    assert!(
        error.starts_with("appliance.yaml:6:3: unknown key `authorised_keys`"),
        "{error}"
    );
    assert!(error.contains("did you mean `authorized_keys`?"), "{error}");
}

#[test]
fn a_key_like_no_other_gets_the_list() {
    let error = complaint("zzzzzz: 1\n");
    assert!(error.contains("known keys: name, hostname, release"), "{error}");
}

#[test]
fn missing_keys_are_named() {
    let error = parse("name: gate\n").unwrap_err().to_string();
    assert!(error.contains("missing field `hostname`"), "{error}");
}

#[test]
fn broken_yaml_is_located() {
    let error = complaint("prune: [a\n");
    assert!(error.starts_with("appliance.yaml:"), "{error}");
}

#[test]
fn values_are_checked_where_they_stand() {
    for (extra, what) in [
        ("label: a/b\n", "appliance.yaml:5:1: `a/b` is not a label"),
        ("formats: []\n", "appliance.yaml:5:1: there is no format"),
        ("disk: {size: big}\n", "`big` is not a size"),
        (
            "files: [{path: a, source: b, mode: 0999}]\n",
            "`0999` are not permissions",
        ),
    ] {
        let error = complaint(extra);
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn sizes() {
    assert_eq!(parse_bytes("2 GiB"), Some(2 << 30));
    assert_eq!(parse_bytes("512MiB"), Some(512 << 20));
    assert_eq!(parse_bytes("4096"), Some(4096));
    assert_eq!(parse_bytes("2 GB"), None);
    assert_eq!(parse_bytes("99999999999 TiB"), None);
}

#[test]
fn permissions_are_octal_with_or_without_quotes() {
    let spec = parse(&format!(
        "{LEAST}files: [{{path: a, source: b, mode: \"0640\"}}, {{path: a, source: b, mode: 0755}}]\n"
    ));
    let modes: Vec<_> = spec.unwrap().files.iter().map(|file| file.mode).collect();
    assert_eq!(modes, [Some(0o640), Some(0o755)]);
}

#[test]
fn a_graph_may_only_use_nics_that_are_there() {
    let uses = |interface: &str| {
        [InterfaceUse {
            node: "left".into(),
            interface: interface.into(),
            line: 7,
        }]
    };
    let graph = Path::new("graph.yaml");
    assert!(check_interfaces(uses("vtnet2"), 3, graph).is_ok());
    assert!(check_interfaces(uses("em9"), 3, graph).is_ok());
    let error = check_interfaces(uses("vtnet3"), 3, graph).unwrap_err().to_string();
    assert!(
        error.starts_with("graph.yaml:7: node `left` uses interface `vtnet3`"),
        "{error}"
    );
    assert!(error.contains("vtnet0 to vtnet2"), "{error}");
}
