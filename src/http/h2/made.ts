/**
 * An answer on its way from a thread to a stream of the main thread: its head and trailers as lines, its body as it is. The
 * thread has checked and decided all of it.
 */

import type { AnswerSink, MadeText, Piece } from '../answer-sink.ts';
import type { TextOut } from '../h1/answer.ts';
import type { Field, ResponseState } from '../h1/writer.ts';
import { answerFields, interimFields } from './answer-fields.ts';

/** Takes the place of a head's length if the text is trailers. */
const trailersLength = -1;

export class MadeAnswer implements AnswerSink {
  private readonly out: TextOut;
  private text = '';

  constructor(out: TextOut) {
    this.out = out;
  }

  /** The main thread sends it when the app reads the body. */
  continue(): void {}

  interim(status: string, fields: readonly Field[], isLenient: boolean): void {
    this.out.sendText(linesOf(status, interimFields(status, fields, isLenient)), 0);
  }

  head(state: ResponseState, status: string, fields: readonly Field[], knownLength: number): void {
    this.text = linesOf(status, answerFields(state, status, fields, knownLength));
  }

  flushHead(): boolean {
    const head = this.takeHead();
    return head === '' || this.out.sendText(head, head.length);
  }

  data(state: ResponseState, piece: Piece, length: number): boolean {
    if (state.framing === 'none') return this.flushHead();
    const head = this.takeHead();
    if (typeof piece === 'string' && length === piece.length) return this.out.sendText(head + piece, head.length);
    return this.out.sendBytes(head, typeof piece === 'string' ? Buffer.from(piece) : piece, '', head.length);
  }

  end(_state: ResponseState, trailers: readonly Field[]): void {
    if (trailers.length > 0) this.out.sendText(linesOf('', trailers), trailersLength);
  }

  pass(): boolean {
    throw new Error('a thread passes nothing on');
  }

  private takeHead(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

function linesOf(first: string, fields: readonly Field[]): string {
  let text = `${first}\r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

export interface Made {
  readonly status: string;
  readonly fields: Field[];
}

/** The fields of an interim answer, a head, or trailers. */
export function readLines(text: string): Made {
  const [status = '', ...lines] = text.split('\r\n');
  const fields = lines.slice(0, -2).map((line): Field => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  return { status, fields };
}

export function isTrailers({ headLength }: MadeText): boolean {
  return headLength === trailersLength;
}
