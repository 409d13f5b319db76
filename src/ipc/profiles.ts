/** What can be found out about the code that a worker runs: stacks, CPU profiles, and where memory has grown. */

/** A function that has allocated what is still in use: by samples. */
export interface Growth {
  readonly site: string;
  readonly bytes: number;
}

/** Where a thread of a worker is. */
export interface ThreadStack {
  /** `main`, or `thread 3`. */
  readonly thread: string;
  /** Innermost frame first, one per line; or why there is none. */
  readonly stack: string;
  /** Method and path of what a thread works on. */
  readonly request?: string;
}

export interface ThreadProfile {
  readonly thread: string;
  readonly profile: CpuProfile;
}

/** Of the threads of a worker. */
export interface Profiles {
  readonly profiles: readonly ThreadProfile[];
  /** Why others have none. */
  readonly missing: readonly string[];
}

/** The longest that the start of a profile takes, and its end, on a machine on which a thread gets no processor. */
export const profileEdgeMs = 6000;

/** What of Chrome's `.cpuprofile` matters here. */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
  /** In microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes, one for each sample; the microseconds since the sample before. */
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

export interface CpuProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    /** From 0; -1 where there is none. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly hitCount?: number;
  readonly children?: readonly number[];
}
