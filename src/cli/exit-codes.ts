/** What the CLI's exit status says to a script. Shown at the end of `tandem --help`. */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  config: 3,
  database: 4,
  notFound: 5,
  refused: 6,
  integration: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "it worked",
  1: "it failed in a way that has no code of its own",
  2: "the command line is wrong",
  3: "tandem.config.ts is missing or wrong, or a variable it names is not set",
  4: "the database cannot be reached, is not migrated, or is in another process's hands",
  5: "there is no such record, event, connection or container",
  6: "refused: the state of things does not allow it",
  7: "the integration cannot be reached or refused our credentials or request",
};
