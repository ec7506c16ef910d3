//! Every format, read back by programs that share no line with ours, and the same bytes twice.

use std::fs;
use std::path::Path;
use std::process::Command;

use image_tests::fixture::{Fixture, SPEC};
use image_tests::readers::{run, text};
use ngforge_image::hash;
use ngforge_image::output::Format;

const ALL: &str = "formats: [raw, qcow2, vmdk, vhd, vhdx, raw.zst]\n";

fn built(spec: &str) -> Fixture {
    let fixture = Fixture::small();
    fs::write(fixture.at("appliance.yaml"), spec).unwrap();
    fixture.build();
    fixture
}

fn everything() -> Fixture {
    built(&format!("{SPEC}{ALL}"))
}

fn qemu_img(arguments: &[&str]) -> String {
    text("qemu-utils", "qemu-img", arguments)
}

/// What QEMU calls a format.
fn of_qemu(format: Format) -> Option<&'static str> {
    match format {
        Format::Vhd => Some("vpc"),
        Format::RawZst => None,
        _ => Some(format.name()),
    }
}

#[test]
fn qemu_finds_the_same_disk_in_each_format() {
    let fixture = everything();
    let raw = fixture.out("test.raw");
    for format in Format::ALL {
        let Some(name) = of_qemu(format) else { continue };
        let path = fixture.out(&format!("test.{}", format.name()));
        let path = path.to_str().unwrap();
        if matches!(format, Format::Qcow2 | Format::Vmdk | Format::Vhdx) {
            let verdict = qemu_img(&["check", "-f", name, path]);
            assert!(verdict.contains("No errors were found"), "{path}: {verdict}");
        }
        let same = qemu_img(&["compare", "-f", "raw", "-F", name, raw.to_str().unwrap(), path]);
        assert!(same.contains("Images are identical"), "{path}: {same}");
        let converted = fixture.at("converted");
        qemu_img(&["convert", "-f", name, "-O", "raw", path, converted.to_str().unwrap()]);
        assert_eq!(
            hash::of_file(&converted).unwrap(),
            hash::of_file(&raw).unwrap(),
            "{path}"
        );
    }
}

#[test]
fn formats_are_recognized_without_being_told() {
    let fixture = everything();
    for (file, expected) in [
        ("test.vmdk", "vmdk"),
        ("test.vhdx", "vhdx"),
        ("test.vhd", "raw"),
        ("test.qcow2", "qcow2"),
    ] {
        let told = qemu_img(&["info", "--output=json", fixture.out(file).to_str().unwrap()]);
        let info: serde_json::Value = serde_json::from_str(&told).unwrap();
        // A fixed VHD begins as the disk does, and only its end tells what it is.
        assert_eq!(info["format"], expected, "{file}");
    }
    let info = qemu_img(&["info", "--output=json", fixture.out("test.vmdk").to_str().unwrap()]);
    assert!(info.contains("streamOptimized"), "{info}");
}

#[test]
fn zstd_gives_the_raw_image_back() {
    let fixture = everything();
    let packed = fixture.out("test.raw.zst");
    let packed = packed.to_str().unwrap();
    run("zstd", "zstd", &["-t", "-q", packed]);
    let list = text("zstd", "zstd", &["-l", "-v", packed]);
    assert!(list.contains("XXH64"), "{list}");
    assert!(list.contains("1\n") && list.contains("Decompressed Size"), "{list}");
    let out = fixture.at("unpacked");
    run("zstd", "zstd", &["-d", "-q", "-o", out.to_str().unwrap(), packed]);
    assert_eq!(
        hash::of_file(&out).unwrap(),
        hash::of_file(&fixture.out("test.raw")).unwrap()
    );
}

#[test]
fn sha256sum_agrees_and_notices_a_changed_byte() {
    let fixture = everything();
    let verdict = |expected: bool| {
        let checked = Command::new("sha256sum")
            .args(["--strict", "-c", "test.sha256"])
            .current_dir(fixture.at("out"))
            .output()
            .unwrap();
        assert_eq!(checked.status.success(), expected, "{checked:?}");
        String::from_utf8(checked.stdout).unwrap()
    };
    let said = verdict(true);
    assert_eq!(said.lines().count(), Format::ALL.len(), "{said}");
    fs::write(fixture.out("test.raw.zst"), "x").unwrap();
    assert!(verdict(false).contains("test.raw.zst: FAILED"));
}

#[test]
fn the_manifest_lists_every_file_with_its_checksum() {
    let fixture = everything();
    let manifest = fixture.build().manifest;
    let formats: Vec<_> = manifest.files.iter().map(|file| file.format.as_str()).collect();
    assert_eq!(formats, ["raw", "qcow2", "vmdk", "vhd", "vhdx", "raw.zst", "sha256"]);
    for file in &manifest.files {
        let path = fixture.at("out").join(&file.path);
        assert_eq!(hash::of_file(&path).unwrap(), file.sha256, "{path:?}");
        assert_eq!(fs::metadata(&path).unwrap().len(), file.size, "{path:?}");
    }
}

#[test]
fn two_builds_give_the_same_bytes_and_another_disk_other_ids() {
    let (one, other) = (everything(), everything());
    for format in Format::ALL {
        let file = format!("test.{}", format.name());
        assert_eq!(
            hash::of_file(&one.out(&file)).unwrap(),
            hash::of_file(&other.out(&file)).unwrap(),
            "{file}"
        );
    }
    let id = || {
        let bytes = fs::read(other.out("test.vmdk")).unwrap();
        let text = String::from_utf8_lossy(&bytes[512..1024]).into_owned();
        let line = text.lines().find(|line| line.starts_with("CID=")).unwrap();
        line.to_owned()
    };
    let before = id();
    fs::write(other.at("rootfs/etc/overlaid"), "second").unwrap();
    other.build();
    assert_ne!(id(), before);
}

#[test]
fn azure_gets_whole_mebibytes_and_a_footer() {
    let fixture = everything();
    let size = fs::metadata(fixture.out("test.vhd")).unwrap().len();
    assert_eq!(size % (1 << 20), 512);
    let told = qemu_img(&[
        "info",
        "--output=json",
        "-f",
        "vpc",
        fixture.out("test.vhd").to_str().unwrap(),
    ]);
    let info: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(info["virtual-size"], size - 512);
}

#[test]
fn empty_space_takes_next_to_nothing() {
    let small = built(&format!("{SPEC}{ALL}"));
    let roomy = built(&format!("{}{ALL}", SPEC.replace("32 MiB", "2 GiB")));
    let size = |fixture: &Fixture, file: &str| fs::metadata(fixture.out(file)).unwrap().len();
    for file in ["test.vmdk", "test.vhdx", "test.raw.zst", "test.qcow2"] {
        let more = size(&roomy, file).saturating_sub(size(&small, file));
        assert!(more < 24 << 20, "{file} grew by {more} bytes");
    }
    let packed = size(&roomy, "test.raw.zst").saturating_sub(size(&small, "test.raw.zst"));
    assert!(packed < 1 << 20, "2 GiB of zeros became {packed} bytes");
    assert!(
        blocks(&roomy.out("test.vhd")) < 512 << 20,
        "a fixed VHD is sparse on disk"
    );
}

fn blocks(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn an_unknown_format_is_refused_with_the_known_ones() {
    let fixture = Fixture::small();
    fs::write(fixture.at("appliance.yaml"), format!("{SPEC}formats: [raw, vdi]\n")).unwrap();
    let error = ngforge_image::spec::Spec::load(&fixture.at("appliance.yaml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("vdi") && error.contains("raw.zst"), "{error}");
}
