/** What is to be measured, in which order. */

/**
 * Names of scenarios and of peers, in any order; without any, all.
 * @param {readonly string[]} names
 * @param {{ scenarios: readonly { id: string }[], peers: readonly { id: string }[] }} known
 * @throws Error for a name that is neither
 */
export function choose(names, { scenarios, peers }) {
  const of = (list) => list.filter(({ id }) => names.includes(id));
  const unknown = names.filter((name) => ![...scenarios, ...peers].some(({ id }) => id === name));
  if (unknown.length > 0) {
    const list = (all) => all.map(({ id }) => id).join(' ');
    throw new Error(`no scenario or peer ${unknown.join(', ')}\nscenarios: ${list(scenarios)}\npeers: ${list(peers)}`);
  }
  const [someScenarios, somePeers] = [of(scenarios), of(peers)];
  return {
    scenarios: someScenarios.length > 0 ? someScenarios : [...scenarios],
    peers: somePeers.length > 0 ? somePeers : [...peers],
  };
}

/**
 * In each round of a scenario every peer has its turn, every other round in reverse, so that none always follows the same one.
 * @template {{ id: string, rounds?: number }} S
 * @template {{ id: string, lacks?: Record<string, string> }} P
 * @param {readonly S[]} scenarios
 * @param {readonly P[]} peers
 * @param {number} rounds
 * @returns {{ scenario: S, peer: P, round: number }[]}
 */
export function turnsOf(scenarios, peers, rounds) {
  return scenarios.flatMap((scenario) => {
    const able = peers.filter(({ lacks }) => lacks?.[scenario.id] === undefined);
    const count = Math.min(rounds, scenario.rounds ?? rounds);
    return Array.from({ length: count }, (_, index) => {
      const order = index % 2 === 0 ? able : able.toReversed();
      return order.map((peer) => ({ scenario, peer, round: index + 1 }));
    }).flat();
  });
}
