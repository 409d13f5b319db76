#!/usr/bin/env bash
# Runs the end-to-end tests on the package as npm would publish it: packed, and installed in an empty folder by each version of Node.
# `npm run test:packed [VERSION ...] [PATH ...]`.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=()
paths=()
for argument; do
  if [[ $argument =~ ^[0-9]+$ ]]; then versions+=("$argument"); else paths+=("$argument"); fi
done
[[ ${#versions[@]} -gt 0 ]] || versions=(20 22 24 26)
[[ ${#paths[@]} -gt 0 ]] || paths=(test/app test/worker test/integration test/server-files test/http test/embed)

folder=$(mktemp -d)
npm run --silent build
npm pack --silent --pack-destination "$folder"
# The tests take what is installed for what is built.
mv dist "$folder/built"
restore() {
  rm -f dist
  mv "$folder/built" dist
  rm -rf "$folder"
}
trap restore EXIT

for major in "${versions[@]}"; do
  app="$folder/node-$major"
  mkdir "$app"
  echo '{ "private": true }' > "$app/package.json"
  npx -y -p "node@$major" npm install --silent --no-audit --no-fund --prefix "$app" "$folder"/tsgun-*.tgz
  ln -sfn "$app/node_modules/tsgun/dist" dist
  node=$(npx -y -p "node@$major" which node)
  echo "== Node $("$node" --version), tsgun $("$node" "$app/node_modules/tsgun/dist/cli.js" --version), installed in an empty folder"
  "$node" node_modules/vitest/vitest.mjs run "${paths[@]}"
done
