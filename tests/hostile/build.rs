//! Lets the binary, the tests and the examples find libtorch at run time without `LD_LIBRARY_PATH`.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-changed=build.rs");
    // `.cargo/config.toml` sets it; with a libtorch of the system there is nothing to say.
    if let Some(folder) = std::env::var_os("LIBTORCH") {
        let library = std::path::Path::new(&folder).join("lib");
        // For binaries, tests and examples alike.
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.display());
    }
}
