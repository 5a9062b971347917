# syntax=docker/dockerfile:1
# To build again from the very same base, give one by digest: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Without pip: the base's one installs into it.
RUN python -m venv --without-pip /opt/venv
WORKDIR /src
# The locked dependencies first: they change less often than the code. Wheels only, so nothing is compiled.
COPY requirements/ requirements/
RUN python -m pip --python /opt/venv/bin/python install --no-compile --require-hashes --no-deps --only-binary=:all: \
      -r requirements/runtime.txt
# Setuptools, the locked one too, builds the project and stays out of the image.
RUN awk '/^[a-z]/ { wanted = /^setuptools==/ } wanted' requirements/dev.txt > build.txt \
    && python -m venv --without-pip /opt/build \
    && python -m pip --python /opt/build/bin/python install --no-compile --require-hashes --no-deps --only-binary=:all: -r build.txt
COPY pyproject.toml README.md LICENSE ./
# operator/lenses_operator/crds is a link to them.
COPY crds/ crds/
COPY operator/ operator/
RUN python -m pip --python /opt/build/bin/python wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /opt/venv/bin/python install --no-compile --no-deps --no-index /wheels/*.whl \
    && install -D -m 0644 requirements/sbom.cdx.json /opt/venv/share/sbom/lenses-operator.cdx.json \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="lenses-operator" \
      org.opencontainers.image.description="Run Kafka connectors from Git: a Kubernetes operator for Kafka Connect managed by Lenses." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
# Nothing can be installed into a running container.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip
# Nothing is written at run time: the root file system may be read-only. A user who is a bare number has no home, and
# the Kubernetes client asks for one.
ENV PATH=/opt/venv/bin:$PATH HOME=/ PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /
EXPOSE 8080
# In brackets: no shell stands between the kubelet's SIGTERM and the operator, which is process 1.
ENTRYPOINT ["lenses-operator"]
CMD ["run"]
