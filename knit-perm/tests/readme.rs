//! What users read names everything that remains possible.

use knit_perm::plan::Caveat;

#[test]
fn each_caveat_is_in_both_readmes() {
    for name in ["README.md", "knit-node/README.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let missing: Vec<_> = Caveat::ALL
            .iter()
            .map(|caveat| caveat.id())
            .filter(|id| !text.contains(&format!("`{id}`")))
            .collect();
        assert_eq!(missing, [""; 0], "{name}");
    }
}
