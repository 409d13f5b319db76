/** How long requests to each route usually take: the measure of what is slow. Pure, except for what it remembers. */

/** More routes than that are taken as one. */
const mostRoutes = 256;
const mostSegments = 4;
/** The first requests make a plain mean. Then it follows over about half a minute, so that a growing queue does not become usual. */
const firstRequests = 20;
const followMs = 30_000;

interface Usual {
  count: number;
  ms: number;
  notedAt: number;
}

export class Routes {
  private readonly usual = new Map<string, Usual>();

  /**
   * Enters how long a request took.
   * @param isCalm whether requests take as long as usual
   * @returns how long such a request usually takes
   */
  note(method: string, path: string, ms: number, isCalm: boolean, now: number): number {
    const usual = this.find(routeOf(method, path));
    const passedMs = Math.min(1000, now - usual.notedAt);
    usual.notedAt = now;
    if (++usual.count <= firstRequests) usual.ms += (ms - usual.ms) / usual.count;
    else if (isCalm) usual.ms += ((ms - usual.ms) * passedMs) / followMs;
    return usual.ms;
  }

  /** @returns whether a request in progress takes longer than that many times what is usual */
  isLate(method: string, path: string, ageMs: number, factor: number): boolean {
    const usual = this.usual.get(routeOf(method, path));
    return usual !== undefined && ageMs > usual.ms * factor;
  }

  /** Everything has become slower, but not because of the number of requests. */
  rescale(factor: number): void {
    for (const usual of this.usual.values()) usual.ms *= factor;
  }

  private find(route: string): Usual {
    const known = this.usual.get(route);
    if (known !== undefined) return known;
    const key = this.usual.size < mostRoutes ? route : '';
    const other = this.usual.get(key) ?? { count: 0, ms: 0, notedAt: 0 };
    this.usual.set(key, other);
    return other;
  }
}

/** `GET /users/17/orders?x` is `GET /users/:/orders`: what holds a digit, or is long, names a thing and not a route. */
export function routeOf(method: string, path: string): string {
  let route = method;
  let start = 1;
  for (let count = 0; count < mostSegments && start <= path.length; count++) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const segment = path.slice(start, end);
    route += segment.length > 32 || /\d/.test(segment) ? '/:' : `/${segment}`;
    start = end + 1;
  }
  return route;
}
