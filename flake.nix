{
  description = "Static analyzer for the dependency graph of Flux GitOps repositories";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = nixpkgs.lib.genAttrs systems;
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
    in
    {
      packages = each (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          default = pkgs.rustPlatform.buildRustPackage {
            pname = manifest.name;
            version = manifest.version;
            src = self;
            cargoLock.lockFile = ./Cargo.lock;
            buildType = "dist";
            env.FLUXDAG_COMMIT = self.rev or "";
            nativeBuildInputs = [ pkgs.installShellFiles ];
            # Some tests want bash in its usual place, and a few seconds more than a sandbox has.
            doCheck = false;
            postInstall = ''
              $out/bin/fluxdag man --quiet --out man1
              installManPage man1/*.1
              installShellCompletion --cmd fluxdag \
                --bash <($out/bin/fluxdag completions bash) \
                --fish <($out/bin/fluxdag completions fish) \
                --zsh <($out/bin/fluxdag completions zsh)
            '';
            meta = {
              description = manifest.description;
              license = nixpkgs.lib.licenses.asl20;
              mainProgram = "fluxdag";
            };
          };
        }
      );
    };
}
