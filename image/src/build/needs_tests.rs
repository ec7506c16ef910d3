use super::*;

#[test]
fn paths_are_followed_without_leaving_the_root() {
    assert_eq!(normal(b"/usr/../lib/./x//y"), b"lib/x/y");
    assert_eq!(normal(b"../../x"), b"x");
    assert_eq!(followed(b"usr/libexec/ld", b"../../libexec/ld", b""), b"libexec/ld");
    assert_eq!(followed(b"usr/a", b"/b", b"/c"), b"b/c");
}
