//! The `fluxdag` program.

fn main() -> std::process::ExitCode {
    fluxdag::main()
}
