# One image for every process of ours: workers (the default), API, provider stub, mailbox.
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml ./
# Only what runs, from the one lock; every archive is checked by its hash. Of the lock, pip alone would take all or
# nothing: uv takes what pyproject.toml asks for, and the hashes from the lock. The mailbox needs aiosmtpd.
RUN awk '/^[^ ]/ {keep = /^uv==/} keep' requirements.lock > uv.txt \
 && awk '/^[^ ]/ {keep = /^(aiosmtpd|setuptools)==/} keep' requirements.lock > beside.txt \
 && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps -r uv.txt \
 && python -m venv --without-pip /venv \
 && uv pip install --python /venv/bin/python --no-cache --require-hashes \
      -r pyproject.toml -r beside.txt -c requirements.lock
COPY . .
RUN uv pip install --python /venv/bin/python --no-cache --no-deps --no-build-isolation . \
 && uv pip uninstall --python /venv/bin/python setuptools

FROM python:3.12-slim
COPY --from=build /venv /venv
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin orders \
 && install --directory --owner=orders /data
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 ORDERLOG_HOME=/data
USER orders
WORKDIR /data
# A worker has no port to ask. It lives on connections: without an established one (state 01) something is wrong.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["grep", "-Eq", "^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ 01 ", "/proc/net/tcp"]
CMD ["orders", "worker"]
