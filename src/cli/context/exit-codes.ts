/** The CLI's exit status, for scripts. `tandem --help` prints the table. */

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
  1: "a failure without a code of its own",
  2: "the command line is wrong",
  3: "tandem.config.ts is missing or wrong, or an environment variable that it names is not set",
  4: "the database cannot be reached, is not migrated, or is open in another process",
  5: "there is no such record, event, connection or container",
  6: "refused: the present state does not allow it",
  7: "the integration cannot be reached, or refused the credentials or the request",
};
