# FastLabel on the CPU; docs/deploy.md says how to build and run it.
FROM python:3.12-slim

# The index of builds of torch without CUDA, where the image is to stay small; pip's own one otherwise.
ARG TORCH_INDEX_URL=""

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 HOME=/work

RUN pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} torch torchvision

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY configs ./configs
COPY fastlabel_gradio ./fastlabel_gradio
RUN pip install ".[postgres]" && mkdir /work /data && chown 10001:10001 /work

USER 10001:10001
VOLUME /work
EXPOSE 7860

HEALTHCHECK --interval=15s --timeout=12s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/api/health', timeout=11)"]

ENTRYPOINT ["fastlabel"]
CMD ["/data", "--host", "0.0.0.0", "--port", "7860", "--workdir", "/work", "--no-browser"]
