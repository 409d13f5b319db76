/**
 * The types that the package ships, and the record of its public API. The build makes one declaration file for each entry point
 * out of what the compiler wrote; `--report` writes the record anew, and `--check` compares it.
 */

import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { flatten } from './flatten.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
/** What the compiler wrote. Not below node_modules, where all that is found counts as another package's. */
const raw = `${folder}dist/.types`;
const [mode] = process.argv.slice(2);
const isBuild = mode === undefined;
const derived = {
  'config/user-settings.d.ts': ['UserSettings', 'InProcessName'],
  'config/settings.d.ts': ['Settings'],
  'app/registry.d.ts': ['AppTypes'],
};
const reports = { index: 'tsgun', validate: 'tsgun-validate' };

if (isBuild) {
  for (const file of readdirSync(raw, { recursive: true }).filter((file) => file.endsWith('.d.ts'))) {
    // The compiler leaves the sources' own addresses, at which there is no declaration file.
    const text = readFileSync(`${raw}/${file}`, 'utf8').replace(/(['"]\.{1,2}\/[^'"\n]+)\.ts(['"])/g, '$1.js$2');
    writeFileSync(`${raw}/${file}`, text);
  }
  flatten(raw, derived);
}
for (const [name, report] of Object.entries(reports)) {
  extract(name, report);
  if (isBuild) addCommonJs(name);
}
rmSync(raw, { recursive: true, force: true });

/** The same module by another door: a compiler holds CommonJS to `.d.cts` files, and Node loads modules by `require`. */
function addCommonJs(name) {
  copyFileSync(`${folder}dist/${name}.d.ts`, `${folder}dist/${name}.d.cts`);
  writeFileSync(`${folder}dist/${name}.cjs`, `'use strict';\nmodule.exports = require('./${name}.js');\n`);
}

function extract(name, report) {
  const silent = { default: { logLevel: 'none' } };
  const config = ExtractorConfig.prepare({
    configObjectFullPath: `${folder}api-extractor.json`,
    packageJsonFullPath: `${folder}package.json`,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: `${isBuild ? raw : `${folder}dist`}/${name}.d.ts`,
      compiler: { tsconfigFilePath: `${folder}tsconfig.json`, skipLibCheck: true },
      apiReport: {
        enabled: !isBuild,
        reportFileName: `${report}.api.md`,
        reportFolder: `${folder}api`,
        reportTempFolder: `${folder}node_modules/.cache/api`,
      },
      dtsRollup: { enabled: isBuild, untrimmedFilePath: `${folder}dist/${name}.d.ts` },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: silent,
        extractorMessageReporting: { ...silent, 'ae-forgotten-export': { logLevel: 'error' } },
        tsdocMessageReporting: silent,
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: mode === '--report',
    messageCallback(message) {
      message.handled = true;
      if (message.messageId !== 'ae-forgotten-export') return;
      console.error(`${message.text.replace(/ by the entry point.*/, '')}: src/${name}.ts mentions it`);
      process.exitCode = 1;
    },
  });
  if (!apiReportChanged || mode !== '--check') return;
  console.error(`api/${report}.api.md is not what the package exports: run npm run generate`);
  process.exitCode = 1;
}
