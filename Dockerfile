# The production image: the service without the embedded database (GPL-2.0, and not for production),
# without a compiler, without pip. It needs MADHUR_MONGODB_URI and MADHUR_SECRET_KEY.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/ requirements/
# The builder's own Python has pip and the build backend; the environment that is shipped has neither.
RUN python -m venv --without-pip /opt/madhur \
 && python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements/build.txt \
 && python -m pip --python /opt/madhur/bin/python install --quiet --require-hashes \
        --only-binary :all: --requirement requirements/prod.txt
COPY pyproject.toml README.md LICENSE ./
COPY src/ src/
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/madhur/bin/python install --quiet --no-deps dist/*.whl

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="Madhur" \
      org.opencontainers.image.description="Self-hosted music recommendations over your own catalogue" \
      org.opencontainers.image.licenses="MIT"
RUN python -m pip uninstall --quiet --yes --root-user-action ignore pip \
 && groupadd --gid 10001 madhur \
 && useradd --uid 10001 --gid madhur --home-dir /data --no-create-home --shell /usr/sbin/nologin madhur \
 && install --directory --owner madhur --group madhur --mode 0750 /data
COPY --from=builder /opt/madhur /opt/madhur
ENV PATH=/opt/madhur/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MADHUR_ENVIRONMENT=production \
    MADHUR_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=4s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"MADHUR_PORT\") or 8000}/healthz', timeout=3)"]
ENTRYPOINT ["madhur"]
CMD ["serve", "--host", "0.0.0.0"]
