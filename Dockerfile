# syntax=docker/dockerfile:1
# To build again from the very same base, give one by digest: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /src
# The locked dependencies first: they change less often than the code.
COPY requirements/ requirements/
RUN /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r requirements/runtime.txt
# Setuptools, the locked one too, builds the project and stays out of the image.
RUN awk '/^[a-z]/ { wanted = /^setuptools==/ } wanted' requirements/dev.txt > build.txt \
    && python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator/ operator/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/venv/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM ${PYTHON_IMAGE}
# Nothing is written at run time: the root file system may be read-only.
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["lenses-operator"]
CMD ["run"]
