/** What may be in the package, and what must be. */

const allowed = [
  /^(README|CHANGELOG)\.md$/,
  /^LICENSE$/,
  /^package\.json$/,
  /^config\.(example|schema)\.json$/,
  /^dist\/.+\.(js|cjs|d\.ts|d\.cts|json)$/,
  /^docs\/[^.].*\.(md|svg)$/,
  /^apps\//,
  /^examples\/(?!.*node_modules)/,
  /^deploy\//,
  /^bench\/README\.md$/,
  /^test\/http\/conformance\/.+\.(http|md)$/,
];
const needed = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'package.json',
  'config.schema.json',
  'dist/cli.js',
  'dist/index.js',
  'dist/index.cjs',
];
/** Names of what is secret, or of one machine. */
const forbidden = /(^|\/)(\.env(\..*)?|\.npmrc|id_rsa|.*\.(pem|key|log|tgz))$/;

/** The unpacked size that nobody has to think about; a package that grows beyond it was meant to, or by mistake. */
export const maxUnpackedBytes = 4 * 1024 * 1024;

/**
 * @param {readonly string[]} files
 * @param {number} unpackedBytes
 * @returns {string[]} faults
 */
export function contentFaults(files, unpackedBytes) {
  const faults = [
    ...files.filter((file) => !allowed.some((form) => form.test(file))).map((file) => `${file}: nobody needs it`),
    ...files.filter((file) => forbidden.test(file)).map((file) => `${file}: must not leave this machine`),
    ...needed.filter((file) => !files.includes(file)).map((file) => `${file}: is missing`),
  ];
  if (unpackedBytes > maxUnpackedBytes)
    faults.push(`${(unpackedBytes / 1024 ** 2).toFixed(1)} MiB unpacked, more than ${maxUnpackedBytes / 1024 ** 2}`);
  return faults;
}
