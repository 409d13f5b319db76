/**
 * Node looks for its own option `--env-file` behind the script's name too, and ends if that file is missing. It stops at `--`,
 * which `env` cannot pass on everywhere: so the command begins as a script of the shell, in a line that is a text to JavaScript.
 */

const before = '#!/usr/bin/env node\n';
const after = `#!/usr/bin/env sh
':' //; exec /usr/bin/env node -- "$0" "$@"
`;

/** @param {string} fileName the command's */
export function ownOptions(fileName) {
  return {
    name: 'own-options',
    generateBundle(_options, bundle) {
      const chunk = bundle[fileName];
      if (!chunk.code.startsWith(before)) throw new Error(`${fileName} does not begin with ${before}`);
      chunk.code = after + chunk.code.slice(before.length);
    },
  };
}
