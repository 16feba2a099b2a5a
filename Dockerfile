# qxbatch in a container. Targets: slim (dcm2niix, nibabel) and, by default, full (also Octave for
# dicm2nii, and the BIDS validator).
# docs/containers.md says how it is built and used.
#
# Optional secrets, none of which stays in the image: `ca` (certificates to trust while building), `pip` (a pip.conf), `cargo` (a
# config.toml) and `apt` (a file of package sources), for sites that reach the package registries by other ways.

ARG BASE=debian:trixie-slim

FROM ${BASE} AS toolchain
ENV DEBIAN_FRONTEND=noninteractive CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_PROFILE_RELEASE_DEBUG=0
RUN --mount=type=secret,id=apt,target=/etc/apt/sources.list.d/site.sources \
    apt-get update -q && \
    apt-get install -y -q --no-install-recommends ca-certificates cargo gcc libc6-dev python3 python3-venv rustc
COPY containers/with-registries /usr/local/bin/
WORKDIR /build


FROM toolchain AS build
COPY containers/build.lock ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    python3 -m venv /maturin && \
    with-registries /maturin/bin/pip install --no-cache-dir --require-hashes -r build.lock

# The venv of the image is made where it will lie; pip serves it from outside and so never is inside.
COPY containers/runtime.lock ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    python3 -m venv --without-pip /opt/qxbatch && \
    with-registries /maturin/bin/pip --python /opt/qxbatch/bin/python install \
        --no-cache-dir --no-compile --only-binary :all: --require-hashes -r runtime.lock

# First the crates of others around empty ones of ours, then ours around an empty package: what did not change is not compiled again.
COPY Cargo.toml Cargo.lock pyproject.toml ./
COPY rust/core/Cargo.toml rust/core/
COPY rust/py/Cargo.toml rust/py/
COPY rust/bench rust/bench
RUN --mount=type=secret,id=ca --mount=type=secret,id=cargo \
    mkdir -p rust/core/src rust/py/src python/qxbatch installed/data && \
    touch rust/core/src/lib.rs rust/py/src/lib.rs python/qxbatch/__init__.py README.md LICENSE rust/crates.cdx.json && \
    with-registries /maturin/bin/maturin build --release --locked --out /tmp/empty
COPY rust rust
RUN --mount=type=secret,id=ca --mount=type=secret,id=cargo \
    find rust -name '*.rs' -exec touch {} + && \
    with-registries /maturin/bin/maturin build --release --locked --out /tmp/empty
COPY README.md LICENSE ./
COPY installed installed
COPY python python
RUN --mount=type=secret,id=ca --mount=type=secret,id=cargo \
    with-registries /maturin/bin/maturin build --release --locked --out /wheel && \
    /maturin/bin/pip --python /opt/qxbatch/bin/python install \
        --no-cache-dir --no-compile --no-deps --no-index /wheel/qxbatch-*.whl
COPY containers/thin ./
RUN sh thin /opt/qxbatch


# The BIDS validator (bids-validator-deno, 126 MB) is in the target full alone.
FROM build AS build-full
COPY containers/bids.lock ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    with-registries /maturin/bin/pip --python /opt/qxbatch/bin/python install \
        --no-cache-dir --no-compile --only-binary :all: --require-hashes -r bids.lock && \
    sh thin /opt/qxbatch


# All that the two targets share but qxbatch itself, which changes most often and so comes last.
FROM ${BASE} AS runtime
RUN --mount=type=secret,id=apt,target=/etc/apt/sources.list.d/site.sources \
    apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/*

# Any user may run it, also one that /etc/passwd does not know, on a root that cannot be written: hence HOME, and no bytecode.
# Each child computes on one thread: qxbatch itself divides the processors (--n-procs).
ENV PATH=/opt/qxbatch/bin:$PATH \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONNOUSERSITE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MKL_NUM_THREADS=1

# The base once more: an argument before the first stage is not known within one.
ARG BASE
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="qxbatch" \
      org.opencontainers.image.description="Brings a study's incoming MR packets to sorted DICOM, NIfTI images and session.txt" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="${BASE}" \
      org.opencontainers.image.documentation="docs/containers.md"
ENTRYPOINT ["qxbatch"]
CMD ["--help"]


FROM runtime AS slim
COPY --from=build /opt/qxbatch /opt/qxbatch
RUN --mount=type=bind,source=containers/describe,target=/run/describe python3 /run/describe /usr/share/doc/qxbatch


# Converters that are no part of qxbatch. They come from a folder, `--build-context dicm2nii=FOLDER`, which takes the place of
# the stage of that name, or from an address with its SHA-256. With neither, the image is built without them and says so.
FROM runtime AS converters
COPY containers/take /usr/local/bin/
ARG DICM2NII_URL=
ARG DICM2NII_SHA256=
ARG DCM2NII_URL=
ARG DCM2NII_SHA256=
RUN --mount=type=secret,id=ca \
    take dicm2nii "${DICM2NII_URL}" "${DICM2NII_SHA256}" /taken/dicm2nii && \
    take dcm2nii "${DCM2NII_URL}" "${DCM2NII_SHA256}" /taken/dcm2nii

FROM scratch AS dicm2nii
COPY --from=converters /taken/dicm2nii/ /

FROM scratch AS dcm2nii
COPY --from=converters /taken/dcm2nii/ /


FROM runtime AS given
COPY containers/lay-out ./
COPY --from=dicm2nii / /given/dicm2nii/
COPY --from=dcm2nii / /given/dcm2nii/
RUN sh lay-out /given /laid-out


FROM runtime AS octave
RUN --mount=type=secret,id=apt,target=/etc/apt/sources.list.d/site.sources \
    apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends octave && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/*
LABEL org.opencontainers.image.title="qxbatch (full)"


FROM octave AS full
COPY --from=build-full /opt/qxbatch /opt/qxbatch
COPY --from=given /laid-out/ /
RUN --mount=type=bind,source=containers/describe,target=/run/describe python3 /run/describe /usr/share/doc/qxbatch
RUN qxbatch doctor
