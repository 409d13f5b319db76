#!/usr/bin/env bash
# Makes a project of each template and language from the packed packages, installs it from the npm registry, runs its tests, checks its
# types, and starts it: `npm run test:create`.
set -euo pipefail
cd "$(dirname "$0")/../.."

npm run --silent build
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --ignore-scripts --pack-destination "$folder" >/dev/null
(cd packages/create-tsgun && npm pack --silent --pack-destination "$folder" >/dev/null)
version=$(node -p 'require("./package.json").version')
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund "./create-tsgun-$version.tgz"

for template in wsgi express hono fastify; do
  for language in ts js; do
    name="$template-$language"
    echo "== $name"
    npx create-tsgun "$name" --template "$template" --language "$language" --yes --tsgun "file:$folder/tsgun-$version.tgz" >/dev/null
    (
      cd "$name"
      npm test --silent >test.log 2>&1 || { cat test.log; exit 1; }
      if [ "$language" = ts ]; then npm run --silent types; fi
      node_modules/.bin/tsgun "src/app.$language" --bind 127.0.0.1:0 --workers 1 --log-format json 2>start.log &
      server=$!
      for _ in $(seq 200); do grep -q '"event":"listening"' start.log && break; sleep 0.1; done
      url=$(sed -n 's/.*"event":"listening".*"url":"\([^"]*\)".*/\1/p' start.log)
      answer=$(curl --silent --fail "$url/")
      kill "$server"
      wait "$server" || { cat start.log; exit 1; }
      [ "$answer" = 'Hello from tsgun' ] || { echo "got: $answer"; exit 1; }
    )
  done
done
echo "all templates start and pass their tests"
