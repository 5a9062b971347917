# The same commit gives the same image if the build is told the commit's time and to set it everywhere: see docs/install.md.
# To build again from the very same base, give one by digest: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
# Seconds; the wheel's files bear it. By default the first time that its format can hold.
ARG SOURCE_DATE_EPOCH=315532800
# A fixed seed: what is compiled depends on the order of sets.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0
# Without pip: the base's one installs into it.
RUN python -m venv --without-pip /opt/venv
WORKDIR /src
# The locked dependencies first: they change less often than the code. Wheels only, so nothing is compiled.
COPY requirements/ requirements/
RUN python -m pip --python /opt/venv/bin/python install --no-compile --require-hashes --no-deps --only-binary=:all: \
      -r requirements/runtime.txt
# Of the Kubernetes client only its connection is imported (lenses_operator/spare.py): without the calls and the models of
# every kind of object, most of the image's size.
RUN for part in client config dynamic informer leaderelection stream utils watch \
      aio/client/api aio/dynamic aio/leaderelection aio/stream aio/watch; \
    do rm -r /opt/venv/lib/python3.*/site-packages/kubernetes/$part; done \
    && find /opt/venv/lib/python3.*/site-packages/kubernetes/aio/client/models -type f ! -name __init__.py -delete
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
    && python -m compileall -q -f -j 1 --invalidation-mode unchecked-hash /opt/venv/lib

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
# Nothing can be installed into a running container. -B: pip leaves nothing that it has compiled. The base comes with a
# standard library that is not compiled, and nothing can be written later: half of a start's time would go into that.
RUN python -B -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip \
    && PYTHONHASHSEED=0 python -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
      -x '/(distutils|idlelib|lib2to3|pydoc_data|test|tests|tkinter|turtledemo)/' /usr/local/lib/python3.*
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
