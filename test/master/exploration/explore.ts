/**
 * Every order in which things can happen to a small pool, breadth first over the real plan and the real notes. Time is part
 * of it: it passes in leaps, to the next moment that makes a difference. What happens by itself (a boot succeeds, a process
 * ends, time passes) may happen at any moment and any number of times; what does not (a crash, a signal) as often as the
 * budget says.
 */

import * as endings from '../../../src/master/endings.ts';
import * as notes from '../../../src/master/notes.ts';
import * as plan from '../../../src/master/plan.ts';
import { type Event, eventsOf } from './events.ts';
import { checkRest, turn } from './turn.ts';
import {
  type Budget,
  createWorld,
  type Draft,
  draftOf,
  isGood,
  keyOf,
  type Rules,
  Violation,
  type World,
} from './world.ts';

export const realRules: Rules = { notes: { ...notes, ...endings }, plan };

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** What did not hold, and the shortest way there. */
  readonly violation: { readonly what: string; readonly path: readonly string[] } | undefined;
}

export function explore(target: number, budget: Budget, rules: Rules = realRules): Exploration {
  const search = new Search(rules);
  try {
    search.begin(createWorld(target, budget));
    while (search.frontier.length > 0) search.goOn();
    return search.end();
  } catch (error) {
    if (error instanceof Violation) return search.end(error.message);
    throw error;
  }
}

class Search {
  /** States to go on from: the number of each, and the world. */
  frontier: [number, World][] = [];
  private readonly rules: Rules;
  private readonly numbers = new Map<string, number>();
  private readonly parents: number[] = [];
  private readonly names: string[] = [];
  private readonly good: number[] = [];
  /** Pairs of states: the first leads to the second by itself. */
  private readonly ways: number[] = [];
  private transitions = 0;
  /** Where a violation is found: the state before, and what happened. */
  private at = -1;
  private event = '';

  constructor(rules: Rules) {
    this.rules = rules;
  }

  begin(world: Draft): void {
    turn(world, this.rules);
    this.enter(world, -1);
  }

  /** One step further in all directions. */
  goOn(): void {
    const { frontier } = this;
    this.frontier = [];
    for (const [from, world] of frontier)
      for (const event of eventsOf(world, this.rules)) {
        this.at = from;
        this.event = event.name;
        this.follow(event, world, from);
      }
  }

  private follow(event: Event, world: World, from: number): void {
    this.transitions++;
    const after = draftOf(world);
    event.happen(after, this.rules);
    turn(after, this.rules);
    const to = this.enter(after, from);
    if (event.isSure) this.ways.push(from, to);
  }

  /** @returns the number of its state */
  private enter(world: Draft, from: number): number {
    const key = keyOf(world);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.numbers.size;
    if (!world.isOver) checkRest(world, this.rules);
    this.numbers.set(key, number);
    this.parents.push(from);
    this.names.push(this.event);
    if (isGood(world)) this.good.push(number);
    if (!world.isOver) this.frontier.push([number, world]);
    return number;
  }

  end(what?: string): Exploration {
    const { transitions } = this;
    const states = this.numbers.size;
    if (what !== undefined)
      return { states, transitions, violation: { what, path: [...this.pathTo(this.at), this.event] } };
    const stuck = firstStuck(states, this.ways, this.good);
    const violation =
      stuck === undefined
        ? undefined
        : { what: 'nothing that happens by itself leads to what is wanted', path: this.pathTo(stuck) };
    return { states, transitions, violation };
  }

  private pathTo(state: number): string[] {
    const path: string[] = [];
    for (let at = state; at > 0; at = this.parents[at]!) path.unshift(this.names[at]!);
    return path;
  }
}

/** The first state from which no good one is reached. */
function firstStuck(states: number, ways: readonly number[], good: readonly number[]): number | undefined {
  const before: number[][] = Array.from({ length: states }, () => []);
  for (let index = 0; index < ways.length; index += 2) before[ways[index + 1]!]!.push(ways[index]!);
  const reaches = new Uint8Array(states);
  const open = [...good];
  for (const state of open) reaches[state] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const from of before[state]!)
      if (reaches[from] === 0) {
        reaches[from] = 1;
        open.push(from);
      }
  const stuck = reaches.indexOf(0);
  return stuck === -1 ? undefined : stuck;
}
