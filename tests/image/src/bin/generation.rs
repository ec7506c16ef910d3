//! A build that tests run in other circumstances, or to kill it: `generation FOLDER NAME`.
//!
//! It builds what a fixture has put into FOLDER, with the overlay `rootfs-NAME`, on one thread and with a spare image.

use std::path::Path;

use image_tests::fixture::request_in;
use ngforge_image::progress::Silent;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, folder, name] = words.as_slice() else {
        panic!("usage: generation FOLDER NAME");
    };
    let mut request = request_in(Path::new(folder));
    request.rootfs = Some(Path::new(folder).join(format!("rootfs-{name}")));
    request.threads = 1;
    request.idle = Some(|_| true);
    ngforge_image::build::build(&request, &Silent).unwrap();
}
