/** `tandem migrate`: brings the schema and the triggers up to date. */
import type { Command } from "commander";
import { compileConfig } from "../../compile-config.ts";
import { type Database, isSchemaMissing } from "../../store/database/index.ts";
import { auditStore } from "../../store/postgres/directory/index.ts";
import { openDatabase } from "../../store/postgres/driver/index.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import { columns, countNoun } from "../output/index.ts";
import {
  type CommandContext,
  examples,
  loadConfig,
  recordCommand,
  takeConfig,
  type Within,
} from "../context/index.ts";

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
}

export function addMigrateCommand(program: Command, within: Within): void {
  program
    .command("migrate")
    .summary("bring the schema and the triggers up to date")
    .description(
      "Creates or updates the schema `tandem` beside the app's tables, and the triggers that capture\nwrites to the mapped ones. Safe to run twice or in parallel. Run it after each change of the mappings\nand each update of Tandem. The app's own columns and rows are not touched.",
    )
    .addHelpText("after", examples(["tandem migrate", ""]))
    .action(within<[]>(migrateDatabase));
}

async function migrateDatabase(context: CommandContext): Promise<void> {
  const { io, settings } = context;
  const given = await loadConfig(io.cwd, settings.config);
  const { mappings, journals, identities } = compileConfig(given);
  const { config, release } = takeConfig(given, io.cwd, false);
  try {
    const database = await openDatabase(config.database);
    try {
      const before = await readApplied(database);
      await migrate(database, mappings, journals, identities ?? undefined);
      const after = await readApplied(database);
      const applied = after.slice(before.length);
      const captured = [...mappings, ...journals].map(({ recordType }) => recordType);
      // A trigger watches logins, for users who replace their placeholder.
      const users = identities?.unknown === "placeholder" ? [identities.table] : [];
      const tables = [...new Set([...captured, ...users])];
      const version = after.at(-1)?.version ?? 0;
      const subject = String(version);
      await recordCommand(auditStore(database), io, { act: "migrate", subject });
      context.answer({ applied, version, tables }, [
        ...(applied.length === 0
          ? [`The schema is up to date at version ${version}.`]
          : [
              `Applied ${countNoun(applied.length, "migration")}:`,
              ...columns(
                applied.map((one) => [String(one.version).padStart(4, "0"), one.name]),
              ).map((line) => `  ${line}`),
            ]),
        `Writes are captured on ${tables.join(", ")}.`,
      ]);
    } finally {
      await database.close();
    }
  } finally {
    await release();
  }
}

async function readApplied(database: Database): Promise<readonly AppliedMigration[]> {
  try {
    const { rows } = await database.query<AppliedMigration>(
      "select version, name from tandem.migrations order by version",
    );
    return rows;
  } catch (error) {
    if (isSchemaMissing(error)) return [];
    throw error;
  }
}
