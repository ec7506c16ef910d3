use super::*;

fn sum(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn pins(all: &[(&str, Pin)]) -> Pins {
    all.iter().map(|(name, pin)| ((*name).into(), pin.clone())).collect()
}

fn lock() -> Lock {
    let section = Section {
        inputs: pins(&[("MANIFEST", Pin::file(sum('a'))), ("base.txz", Pin::file(sum('b')))]),
        toolchain: pins(&[("rustc", Pin::program("1.95.0"))]),
    };
    Lock {
        version: VERSION,
        locks: [("freebsd-14.3".into(), section)].into(),
    }
}

fn policy(folder: &Path, toolchain: &[(&str, Pin)]) -> Policy {
    let file = folder.join(FILE);
    lock().save(&file).unwrap();
    Policy {
        file: Some(file),
        required: false,
        toolchain: pins(toolchain),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let text = lock().text().unwrap();
    assert_eq!(Lock::parse(&text, Path::new(FILE)).unwrap(), lock());
    assert!(
        text.find("MANIFEST").unwrap() < text.find("base.txz").unwrap(),
        "{text}"
    );
}

#[test]
fn the_locked_inputs_pass_from_any_source() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(folder.path(), &[("rustc", Pin::program("1.95.0"))]);
    let mut inputs = lock().locks["freebsd-14.3"].inputs.clone();
    inputs.get_mut("base.txz").unwrap().source = Some("a mirror".into());
    assert_eq!(policy.check("freebsd-14.3", &inputs).unwrap(), Standing::Holds);
}

#[test]
fn every_changed_input_is_named_with_both_values_cause_and_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(folder.path(), &[("rustc", Pin::program("1.96.0"))]);
    let inputs = pins(&[("base.txz", Pin::file(sum('c'))), ("x.pkg", Pin::file(sum('d')))]);
    let error = policy.check("freebsd-14.3", &inputs).unwrap_err().to_string();
    for part in [
        format!(
            "MANIFEST: locked sha256 {}, found nothing: the build does not use it",
            sum('a')
        ),
        format!(
            "base.txz: locked sha256 {}, found sha256 {}: other bytes",
            sum('b'),
            sum('c')
        ),
        format!(
            "x.pkg: locked nothing, found sha256 {}: the lock does not name it",
            sum('d')
        ),
        "rustc: locked 1.95.0, found 1.96.0: another version".into(),
        "\nhint: if the change is wanted, `cargo xtask lock --update`".into(),
    ] {
        assert!(error.contains(&part), "{part} is not in:\n{error}");
    }
}

#[test]
fn a_build_without_a_toolchain_is_not_held_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = lock().locks["freebsd-14.3"].inputs.clone();
    let policy = policy(folder.path(), &[]);
    assert_eq!(policy.check("freebsd-14.3", &inputs).unwrap(), Standing::Holds);
}

#[test]
fn what_is_not_locked_yet_passes_unless_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut policy = policy(folder.path(), &[]);
    assert_eq!(policy.check("hosted-14.3", &Pins::new()).unwrap(), Standing::NotLocked);
    policy.required = true;
    let error = policy.check("hosted-14.3", &Pins::new()).unwrap_err().to_string();
    assert!(error.contains("has no section `hosted-14.3`\nhint: "), "{error}");
    policy.file = None;
    assert_eq!(policy.check("hosted-14.3", &Pins::new()).unwrap(), Standing::Unasked);
}
