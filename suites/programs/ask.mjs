/** Asks a server, compares answers, and asks on while it is reloaded. */

import { Agent, request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';

/** About the connection, about framing, or about the time. */
const notCompared = /^(?:date|connection|keep-alive|transfer-encoding|content-length)$/;
const answerMs = 20_000;

/** @returns status, fields (names in lower case, in order) and body */
export function ask(base, [path, { method = 'GET', headers = {}, body } = {}], agent) {
  return new Promise((resolve, reject) => {
    const { port } = new URL(base);
    // The field that many programs make absolute addresses of must be the same for both.
    const fields = { host: 'program.test', accept: '*/*', ...headers };
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: fields, agent, timeout: answerMs },
      (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            fields: fieldsOf(response),
            body: Buffer.concat(pieces).toString('latin1'),
          }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${path} within ${answerMs} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

function fieldsOf({ rawHeaders }) {
  const fields = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toLowerCase();
    if (!notCompared.test(name)) fields.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  return fields.sort();
}

/**
 * What changes from answer to answer under node alone is not compared: of a field its value, of a body what `changes` matches.
 * @returns what differs, in words
 */
export async function compare(nodes, ours, question, changes) {
  const [first, second] = [await ask(nodes, question), await ask(nodes, question)];
  const answer = await ask(ours, question);
  const changing = new Set(first.fields.filter((field) => !second.fields.includes(field)).map(nameOf));
  const plain = ({ status, fields, body }) => ({
    status,
    fields: fields.map((field) => (changing.has(nameOf(field)) ? nameOf(field) : field)),
    body: changes === undefined ? body : body.replaceAll(changes, '*'),
  });
  if (plain(first).body !== plain(second).body) return [`${question[0]}: the body changes under node itself`];
  if (isDeepStrictEqual(plain(first), plain(answer))) return [];
  return [`${question[0]}: ${differenceOf(plain(first), plain(answer))}`];
}

function nameOf(field) {
  return field.slice(0, field.indexOf(':'));
}

function differenceOf(nodes, ours) {
  if (nodes.status !== ours.status)
    return `status ${nodes.status} under node, ${ours.status} here: ${ours.body.slice(0, 200)}`;
  const missing = nodes.fields.filter((field) => !ours.fields.includes(field));
  const added = ours.fields.filter((field) => !nodes.fields.includes(field));
  if (missing.length + added.length > 0)
    return `fields under node ${JSON.stringify(missing)}, here ${JSON.stringify(added)}`;
  const at = [...nodes.body].findIndex((char, index) => char !== ours.body[index]);
  return `bodies differ at ${at}: ${JSON.stringify(nodes.body.slice(at, at + 80))} under node, ${JSON.stringify(ours.body.slice(at, at + 80))} here`;
}

/** Asks from several clients at once, on connections that persist and on new ones, until it is told to stop. */
export function askOn(base, question, status) {
  const failures = [];
  let count = 0;
  let isOver = false;
  const agent = new Agent({ keepAlive: true });
  const client = async (itsAgent) => {
    while (!isOver) {
      try {
        const answer = await ask(base, question, itsAgent);
        if (answer.status !== status) failures.push(`status ${answer.status}`);
      } catch (error) {
        failures.push(error.code ?? error.message);
      }
      count++;
    }
  };
  const clients = Promise.all([client(agent), client(agent), client(undefined), client(undefined)]);
  return {
    failures,
    count: () => count,
    async atLeast(more) {
      const wanted = count + more;
      while (count < wanted) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async stop() {
      isOver = true;
      await clients;
      agent.destroy();
    },
  };
}
