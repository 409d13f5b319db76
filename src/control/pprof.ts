/** A CPU profile in the format of pprof (github.com/google/pprof, proto/profile.proto), gzipped. Only the few parts of protobuf that it needs. */

import { gzipSync } from 'node:zlib';
import type { CpuProfile, CpuProfileNode } from '../ipc/profiles.ts';

/** Bytes of one message: fields by number, as varints or as bytes with their length. */
class Message {
  private readonly parts: number[] = [];

  number(field: number, value: number): this {
    if (value === 0) return this;
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  bytes(field: number, value: ArrayLike<number>): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    for (let index = 0; index < value.length; index++) this.parts.push(value[index]!);
    return this;
  }

  /** Beyond 32 bits too: no bit operators. */
  private varint(value: number): void {
    let left = value;
    for (; left >= 128; left = Math.floor(left / 128)) this.parts.push((left % 128) + 128);
    this.parts.push(left);
  }

  packed(field: number, values: readonly number[]): this {
    const list = new Message();
    for (const value of values) list.varint(value);
    return this.bytes(field, list.parts);
  }

  get content(): readonly number[] {
    return this.parts;
  }
}

class Texts {
  private readonly indices = new Map<string, number>([['', 0]]);

  index(text: string): number {
    const known = this.indices.get(text);
    if (known !== undefined) return known;
    this.indices.set(text, this.indices.size);
    return this.indices.size - 1;
  }

  get all(): Iterable<string> {
    return this.indices.keys();
  }
}

/** Idle time is left out: pprof's tools take all samples for work. */
const idle = new Set(['(idle)', '(program)', '(root)']);

export function toPprof({ nodes, samples = [], timeDeltas = [], startTime, endTime }: CpuProfile): Buffer {
  const texts = new Texts();
  const profile = new Message();
  const valueType = (type: string, unit: string) =>
    new Message().number(1, texts.index(type)).number(2, texts.index(unit)).content;
  profile.bytes(1, valueType('samples', 'count')).bytes(1, valueType('cpu', 'nanoseconds'));

  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const spent = new Map<number, { count: number; us: number }>();
  for (const [index, id] of samples.entries()) {
    const sum = spent.get(id) ?? { count: 0, us: 0 };
    sum.count++;
    sum.us += Math.max(0, timeDeltas[index] ?? 0);
    spent.set(id, sum);
  }
  const stackOf = (id: number) => {
    const stack: number[] = [];
    // The root stands for the whole.
    for (let at: number | undefined = id; at !== undefined && parents.has(at); at = parents.get(at)) stack.push(at);
    return stack;
  };
  for (const [id, { count, us }] of spent)
    if (!idle.has(byId.get(id)?.callFrame.functionName ?? '(idle)'))
      profile.bytes(2, new Message().packed(1, stackOf(id)).packed(2, [count, us * 1000]).content);

  for (const { id, callFrame } of nodes) {
    const line = new Message().number(1, id).number(2, callFrame.lineNumber + 1).content;
    profile.bytes(4, new Message().number(1, id).bytes(4, line).content);
    profile.bytes(5, functionOf(id, callFrame, texts));
  }
  const period = valueType('cpu', 'nanoseconds');
  for (const text of texts.all) profile.bytes(6, Buffer.from(text));
  profile.number(10, (endTime - startTime) * 1000).bytes(11, period);
  return gzipSync(Buffer.from(profile.content));
}

function functionOf(
  id: number,
  { functionName, url, lineNumber }: CpuProfileNode['callFrame'],
  texts: Texts,
): readonly number[] {
  const name = texts.index(functionName || '(anonymous)');
  const file = texts.index(url.replace(/^file:\/\//, ''));
  return new Message()
    .number(1, id)
    .number(2, name)
    .number(3, name)
    .number(4, file)
    .number(5, lineNumber + 1).content;
}
