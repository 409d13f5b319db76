#!/usr/bin/env node
/**
 * The command. It listens for signals before anything else is loaded: one that comes in the first moments must not find
 * Node's own reaction.
 */

import { commandIn } from './control/names.ts';
import { descriptorLimit, leastDescriptors, limitRemedy } from './descriptors.ts';
import { listenForCommands } from './master/commands.ts';
import { commandEvent, type MasterEvent } from './master/events.ts';
import { Inbox } from './master/inbox.ts';
import { otherRuntime } from './runtime.ts';

const other = otherRuntime();
if (other !== undefined) {
  const remedy = 'run it by node: npx tsgun, or bunx tsgun without --bun';
  process.stderr.write(`tsgun: it runs on Node.js 20.19 and later, and this is ${other}: ${remedy}\n`);
  process.exit(1);
}

const inbox = new Inbox<MasterEvent>();
listenForCommands((command, origin) => inbox.push(commandEvent(command, origin)));
// A cluster of someone else's may have started us: that does not make this process a worker of ours.
delete process.env.NODE_UNIQUE_ID;

// Node reads many files at once to load what follows, and would end with the stack of its loader.
const limit = descriptorLimit();
if (limit !== undefined && limit < leastDescriptors) {
  const need = `tsgun needs at least ${leastDescriptors}`;
  process.stderr.write(
    `tsgun: descriptors: the limit is ${limit} open files for each process, and ${need}: ${limitRemedy}\n`,
  );
  process.exit(1);
}

const argv = process.argv.slice(2);
const command = commandIn(argv);
if (command !== undefined) {
  // A command for a running instance needs none of what follows, and is to be quick.
  const { control } = await import('./control/main.ts');
  process.exit(await control(command, argv.slice(1)));
}
const { main } = await import('./main.ts');
const code = await main(argv, inbox);
if (code !== 0) {
  const { meant } = await import('./control/meant.ts');
  process.stderr.write(meant(argv) ?? '');
}
process.exit(code);
