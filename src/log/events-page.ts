/** `docs/log.md`: every event with its fields, and what else there is to know about the log. */

import type { EventDeclaration } from './event.ts';
import { events } from './events.ts';

const before = `# The log

<!-- Generated from src/log/events.ts and src/log/events-page.ts by "npm run generate". -->

The error log has one line for each event in a process's life, and for each error. \`--error-logfile\` says where it goes
(\`-\`, the default, is standard error), \`--log-format\` in which form, and \`--log-level\` from which level on. USR1 reopens its
file in all processes.

Lines for machines are JSON: \`level\`, \`time\`, \`event\` for events in a process's life, \`pid\`, then the fields of the event, and
\`msg\`. An app writes to the error log with \`env['wsgi.errors']\`, a hook with its \`log\`.

A text of more than 16 KiB (a message, a stack, a line of an app) is cut, and its end says how many bytes are missing.`;

const after = `## For Elastic (ECS)

The names of the Elastic Common Schema are one filter away. With [jq](https://jqlang.org), in bash:

\`\`\`sh
tsgun app.ts --log-format json 2> >(jq --unbuffered -c -R '. as $line | (fromjson? // {msg: $line}) | {
  "@timestamp": .time, "log.level": .level, "message": .msg, "ecs.version": "8.11",
  "event.action": .event, "process.pid": .pid, "service.version": .version,
  "error.message": .error, "error.stack_trace": .stack,
  "http.request.method": .method, "url.path": .path, "http.request.id": .requestId,
  "tsgun": del(.time, .level, .msg, .event, .pid, .version, .error, .stack, .method, .path, .requestId)
} | with_entries(select(.value != null))' >&2)
\`\`\`

Filebeat and Elastic's ingest pipelines do the same by \`rename\`, Vector by \`remap\`. Fields of tsgun that ECS does not know are below
\`tsgun\`.

## A log that cannot be written

Writing to the log, to standard output or to standard error never blocks or ends a process of tsgun. That includes what an
app prints with \`console\`, \`process.stdout\` or \`process.stderr\`, in a thread too.

| the log, or standard output, | what is lost |
|---|---|
| is a pipe whose reader is slow | nothing: up to 4 MiB wait in each process and go out in order |
| is a pipe or a terminal whose reader has stopped | lines beyond these 4 MiB |
| is a pipe whose reader is gone, or a closed terminal | lines beyond these 4 MiB, for good |
| is on a full disk | lines beyond these 4 MiB; each second the process tries again |

When there is room again, the line \`log_dropped\` stands in the place of the dropped lines: \`dropped\` is their number,
\`droppedBytes\` their size, and \`stream\` is \`stdout\`, \`stderr\` or the file. A \`fatal\` line has room in reserve. A process that
ends gives its last lines a fifth of a second to go out.

tsgun reports a fault of the log file (its folder is gone at USR1 or HUP, its disk is full) on standard error too, and a
fault of standard output in the error log. If standard error is the log, a fault of it can be reported nowhere.

Standard output has no back-pressure: in a master or a worker, \`process.stdout.write\` always returns true. An app can write to
the descriptors 1 and 2 by other means: \`fs.writeSync\`, a native addon, a child process that inherits them. Such writes block
or fail as under plain Node. pino without a destination of its own is not such a case: it writes to \`process.stdout\`.`;

export function renderLogPage(): string {
  const entries = Object.entries(events).map(([name, declaration]) => eventEntry(name, declaration));
  return `${[before, '## Events', ...entries, after].join('\n\n')}\n`;
}

function eventEntry(name: string, { levels, when, fields, todo }: EventDeclaration): string {
  const rows = Object.entries(fields).map(([field, text]) => `| \`${field}\` | ${text} |`);
  return `### ${name}

${when}

| | |
| --- | --- |
| level | ${levels.join(', ')} |
${rows.join('\n')}
| what to do | ${todo} |`;
}
