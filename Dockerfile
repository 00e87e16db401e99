# The production image: one for web, live, worker and beat; `deploy/start ROLE` tells them apart.

FROM node:22-bookworm-slim AS frontend
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.12-slim-bookworm AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 \
    fonts-dejavu-core fonts-liberation \
 && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

FROM base AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gettext
RUN python -m venv /opt/venv
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/requirements.lock
WORKDIR /app
COPY . .
COPY --from=frontend /build/node_modules node_modules
RUN for po in locale/*/LC_MESSAGES/*.po; do msgfmt --check-format -o "${po%.po}.mo" "$po" || exit 1; done
# nobody may write them later, and every process would compile the whole house at each start
RUN python -m compileall -q manage.py crm cases channels_app campaigns scheduling reporting
# Settings ask for these three; collecting files connects to nothing. django_htmx brings a copy of
# htmx whose extensions name files that do not exist; ours comes from npm.
RUN SECRET_KEY=only-while-building DATABASE_URL=postgres://nowhere/none REDIS_URL=redis://nowhere \
    python manage.py collectstatic --noinput --ignore 'django_htmx/*'

FROM base
RUN useradd --system --uid 10001 --home-dir /var/lib/ventanilla --create-home ventanilla
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER ventanilla
ENV HOST=0.0.0.0 VENTANILLA_VAR=/var/lib/ventanilla
VOLUME /var/lib/ventanilla
ENTRYPOINT ["/app/deploy/start"]
CMD ["web"]
