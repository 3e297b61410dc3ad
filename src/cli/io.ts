/** Everything a command touches outside itself, so that tests run commands in their own process. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** For the times that people read. Default: the system's. */
  readonly timeZone?: string;
  /**
   * Calls back at the first SIGINT or SIGTERM, and returns how to stop listening. While nobody
   * listens a signal ends the process, and the second always does.
   */
  onInterrupt(interrupted: () => void): () => void;
  /** Meets this process's fate at a failpoint; absent where the process is not the command's own. */
  readonly meet?: (fate: "kill" | "stop" | "exit") => Promise<void>;
  /** Opens the user's browser; where that is not possible nothing happens. */
  openBrowser(url: string): void;
}

/** Resolves when the user wants the command to end. */
export function untilInterrupted(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = io.onInterrupt(() => {
      stopListening();
      resolve();
    });
  });
}
