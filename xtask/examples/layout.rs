//! Prints the TypeScript constants of the shared layout: see `cargo xtask layout`.

fn main() {
    print!("{}", knit_sched::typescript());
}
