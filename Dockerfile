FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sitedesk
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY cms cms
COPY api api
COPY media media
COPY search_index search_index
RUN /opt/sitedesk/bin/pip install --constraint constraints.txt .

FROM python:3.13-slim

# pg_dump and pg_restore, for backups of a site on PostgreSQL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

# A fixed uid, so that the owner of a mounted folder can be set from outside.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin sitedesk \
    && install --directory --owner=sitedesk --group=sitedesk --mode=0750 /data
COPY --from=build /opt/sitedesk /opt/sitedesk

ENV PATH=/opt/sitedesk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV SITEDESK_DATA=/data SITEDESK_HOST=0.0.0.0 SITEDESK_PORT=8000

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"SITEDESK_PORT\"]}/readyz', timeout=4)"]

# The exec form: signals reach the server, and it stops in good order.
ENTRYPOINT ["sitedesk"]
CMD ["serve"]
