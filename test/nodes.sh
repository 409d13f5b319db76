#!/usr/bin/env bash
# Runs the end-to-end tests, and those of server files, of what Node does not document and of embedding, on the other supported versions of Node:
# `npm run test:nodes [VERSION ...]`.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run --silent build
for version in "${@:-22 24 26}"; do
  for major in $version; do
    echo "== Node $major: $(npx -y "node@$major" --version)"
    npx -y "node@$major" node_modules/vitest/vitest.mjs run test/node test/app test/worker test/integration test/server-files test/http test/embed test/typescript
  done
done
