# The gateway in an image with Node and nothing else: no shell, no package manager, not root. `docker build -t sallyport .`
# Tags can be moved: for a build that is the same tomorrow, write `@sha256:…` behind both, as `docker buildx imagetools
# inspect NAME` shows it.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci && npm run build:release && (cd dist && sha256sum -c SHA256SUMS)
# What the program writes to, empty: the image below has no shell to make it.
RUN mkdir -p /empty

FROM gcr.io/distroless/nodejs24-debian12:nonroot
COPY --from=build /src/dist/sallyport.mjs /src/dist/sbom.cdx.json /src/dist/THIRD-PARTY-LICENSES.txt /src/dist/SHA256SUMS /opt/sallyport/
# A volume that is mounted here belongs to the program from the start.
COPY --from=build --chown=65532:65532 --chmod=0700 /empty /var/lib/sallyport
USER 65532:65532
EXPOSE 8443 9787
# 45 s are given by compose.yaml and Kubernetes: streams in progress may finish for 30 s after SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "/opt/sallyport/sallyport.mjs"]
CMD ["serve", "--config", "/etc/sallyport/sallyport.yaml"]
