/** All inputs and outputs of a command, so that tests can run commands in their own process. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** A command adds the variables in the `.env` file of `cwd`. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  /** The zone in which times are shown to people. Default: the system's. */
  readonly timeZone?: string;
  /**
   * Calls the listener at the first SIGINT or SIGTERM, and returns how to remove it. Without a listener a
   * signal ends the process, and the second signal always does.
   */
  onInterrupt(interrupted: () => void): () => void;
  /** Executes a fate at a failpoint; absent if the command does not own the process. */
  readonly meet?: (fate: "kill" | "stop" | "exit") => Promise<void>;
  /** Opens the user's browser, if there is one. */
  openBrowser(url: string): void;
}

/** Resolves when the user interrupts the command. */
export function untilInterrupted(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = io.onInterrupt(() => {
      stopListening();
      resolve();
    });
  });
}
