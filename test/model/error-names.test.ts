/** Errors as a log and a stack trace name them: by their class, and never without a text. */
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config.ts";
import { IllegalMoveError } from "../../src/engine/lane/transition.ts";
import { MappingError } from "../../src/engine/merge/translate-record.ts";
import { AnswerTooLargeError } from "../../src/integrations/github/transport/bounded-answer.ts";
import { IntegrationError, TranslationError } from "../../src/integrations/integration.ts";
import { connectionId } from "../../src/model/ids.ts";
import { LaneMovedError } from "../../src/runtime/admission/admit-batch.ts";
import { UnmappedLaneError } from "../../src/runtime/services/directory-snapshot.ts";
import { HookError, ValidationError } from "../../src/runtime/settings/hooks.ts";
import { ReceiverFullError } from "../../src/runtime/receive/receive-batches.ts";
import { LiteralSecretError, MissingSecretError } from "../../src/runtime/settings/secrets.ts";
import { UnfitScopeError } from "../../src/runtime/failures/unfit-scope-error.ts";
import { BudgetSpentError } from "../../src/server/protocol/byte-budget.ts";
import {
  AbortedTransactionError,
  ConnectionLostError,
  LostWorkError,
  NoAnswerError,
  NoConnectionError,
  ReadOnlyDatabaseError,
} from "../../src/store/database/database.ts";
import { MigrationError } from "../../src/store/database/migration-error.ts";
import { StatementLostError } from "../../src/store/postgres/driver/kept-statements.ts";
import { UnknownDatabaseError } from "../../src/store/postgres/driver/open-database.ts";
import { LaneMadeMeanwhileError } from "../../src/store/postgres/lanes/lane-writes.ts";
import { RecordTakenError } from "../../src/store/rules/record-taken-error.ts";
import { RecordWriteError } from "../../src/store/rules/record-write-error.ts";
import { SwitchedOnMeanwhileError } from "../../src/store/rules/switched-off.ts";

const CAUSE = new Error("why");
const REFUSED = { code: "refused", message: "it was refused", hint: "Ask again." };
const LANE = {
  connectionId: connectionId("7"),
  ...{ resourceType: "issue", recordType: "tasks", externalId: "12", recordId: "5" },
};

const errors: readonly Error[] = [
  new ConfigError("empty_token", "apiToken", "is empty", "Give one."),
  new IllegalMoveError("an event cannot go from completed to queued"),
  new MappingError("title", "title", CAUSE),
  new AnswerTooLargeError(),
  new IntegrationError({ kind: "permanent", applied: "no", ...REFUSED }),
  new TranslationError("malformed_json", "no JSON", { path: "$", hint: "Look at it." }),
  new LaneMovedError("the lane has moved"),
  new UnmappedLaneError("the lane has no mapping"),
  new ValidationError("refused by a rule"),
  new HookError("derive", "derive threw", "Correct it.", CAUSE),
  new ReceiverFullError(),
  new LiteralSecretError("token"),
  new MissingSecretError("GITHUB_TOKEN"),
  new UnfitScopeError({ path: "scope", message: "it fits no row", hint: "Correct it." }, CAUSE),
  new BudgetSpentError("there is no room"),
  new AbortedTransactionError(),
  new ConnectionLostError("unknown", CAUSE),
  new LostWorkError(null),
  new NoAnswerError(5_000),
  new NoConnectionError("busy", CAUSE),
  new ReadOnlyDatabaseError(),
  new MigrationError("schema_newer", "the schema is newer", "Update Tandem."),
  new StatementLostError(CAUSE),
  new UnknownDatabaseError("no such database"),
  new LaneMadeMeanwhileError("a lane was made meanwhile", CAUSE),
  new RecordTakenError(LANE),
  new RecordWriteError({
    ...{ ...REFUSED, sqlState: "23505", table: "tasks", column: null, constraint: null },
  }),
  new SwitchedOnMeanwhileError({ connectionId: LANE.connectionId, direction: "inbound" }),
];

describe("an error", () => {
  it.each(errors.map((error) => [error.constructor.name, error] as const))(
    "%s says its class and what happened",
    (name, error) => {
      expect(error).toMatchObject({ name, message: expect.stringMatching(/\w/) as string });
      expect(String(error)).toBe(`${name}: ${error.message}`);
    },
  );

  it("names what it is about", () => {
    expect(new RecordTakenError(LANE).message).toContain("issue");
    expect(new NoAnswerError(5_000).message).toContain("5 seconds");
    expect(new MappingError("title", "name", CAUSE)).toMatchObject({
      message: "the mapping of title to name failed",
      cause: CAUSE,
      column: "title",
      field: "name",
    });
    expect(
      new SwitchedOnMeanwhileError({ connectionId: LANE.connectionId, direction: "inbound" })
        .message,
    ).toBe("inbound of connection 7 was switched on meanwhile");
  });
});
