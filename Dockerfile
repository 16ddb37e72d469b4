# The program alone, static, in an empty image:
#   docker build -t fluxdag .
#   docker run --rm --volume "$PWD:/work:ro" fluxdag lint
FROM rust:1.95-alpine AS build
WORKDIR /src
# The commit that `--version` tells; Git is not at hand here.
ARG FLUXDAG_COMMIT=""
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked && cp target/dist/fluxdag /fluxdag

FROM scratch
COPY --from=build /fluxdag /usr/local/bin/fluxdag
COPY LICENSE /LICENSE
ENV PATH=/usr/local/bin LC_ALL=C.UTF-8
# Nobody in particular: it only reads.
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["fluxdag"]
CMD ["lint"]
