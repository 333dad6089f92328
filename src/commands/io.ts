/** Where a command writes; what it needs to know of a stream. */
export interface Output {
  write(text: string): unknown;
  /** Calls back when it takes more, after `write` returned false. */
  once?(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The world of a command: given by `main`, made up by tests. */
export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Directory from which the configuration is searched. */
  readonly cwd: string;
  /** Aborted when the user wants the command to end, with what it knows until then. */
  readonly signal: AbortSignal;
}

/** Exit statuses, from the contract. */
export const Exit = { Ok: 0, Findings: 1, Usage: 2, Partial: 3, Interrupted: 130 } as const;
