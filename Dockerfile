# The product alone: of the one lock, which also holds the tools of the tests, only what the product needs is installed.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock ./
# Every file is checked against its hash here; the next step can install nothing but these.
RUN pip download --quiet --require-hashes --requirement requirements.lock --dest /wheels
COPY pyproject.toml README.md ./
COPY alerting alerting
RUN python -m venv /opt/alerting \
 && /opt/alerting/bin/pip install --quiet --no-index --find-links /wheels .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/alerting --create-home alerting
COPY --from=build /opt/alerting /opt/alerting
WORKDIR /app
COPY rules rules
COPY templates templates
ENV PATH=/opt/alerting/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ALERTING_RULES=/app/rules \
    ALERTING_TEMPLATES=/app/templates \
    ALERTING_DATA=/var/lib/alerting \
    ALERTING_LISTEN=0.0.0.0:8080
USER alerting
EXPOSE 8080
ENTRYPOINT ["alerting"]
