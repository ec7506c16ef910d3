//! A build that a test runs to kill it, or to starve it of disk: `victim FOLDER`.
//!
//! It builds the small base into FOLDER/out and writes why it failed to FOLDER/verdict.

use std::fs;
use std::path::PathBuf;

use image_tests::fixture::Fixture;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: victim FOLDER"));
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.out = folder.join("out");
    request.cache = folder.join("cache");
    // Large enough that the build is busy writing for a while.
    request.spec.disk.size = Some(ngforge_image::spec::Bytes(3 << 30));
    let result = ngforge_image::build::build(&request, &ngforge_image::progress::Silent);
    fs::write(folder.join("verdict"), result.unwrap_err().to_string()).unwrap();
}
