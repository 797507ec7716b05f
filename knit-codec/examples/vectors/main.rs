//! Writes the golden vectors: `cargo run -p knit-codec --example vectors`. See [`notation`] for how to read the file.

mod cases;
mod invalid;
mod notation;

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/v1.json");
    std::fs::write(path, notation::file(&cases::all(), &invalid::all()))
}
