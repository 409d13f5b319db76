/** `npm run check:docs`: holds README.md, docs/ and the other pages against the files and the code. */

import { checkAll } from './checks.ts';
import { readFacts, readPages } from './facts.ts';

const pages = readPages();
const faults = checkAll(pages, readFacts());
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`${pages.length} pages: links, anchors, names, settings, events and signals agree`);
