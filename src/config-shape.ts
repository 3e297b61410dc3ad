/**
 * The form of a configuration: a setting that does not exist, or has another type, is refused with its path.
 * `compile-config.ts` then checks the values.
 *
 * TypeScript checks most of it while the user writes it. A configuration in JavaScript, or a computed one, has
 * no other check.
 */
import { z } from "zod";
import { type AnyConfig, ConfigError } from "./config.ts";
import { didYouMean } from "./store/database/index.ts";

/** Postgres refuses an empty name and a NUL in a name; `__proto__` cannot be a property's name. */
const name = z
  .string("expected a name in quotes")
  .refine(isName, { error: "is not a name of a table, column or field" });
const call = z.custom<object>((given) => typeof given === "function", "expected a function");
/** `compile-config.ts` checks the bounds, and names them. */
const amount = z.custom<number>((given) => typeof given === "number", "expected a number");
const off = z.literal(false);
/** Settings by names that the user chooses: tables, columns and fields. */
const named = z.looseObject({});

/** Settings with fixed names: another one would be a mistake that nothing reads. */
function settings<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === "unrecognized_keys"
        ? `there is no such setting.${suggestion(keys, known)}`
        : undefined,
  });
}

function suggestion(keys: unknown, known: readonly string[]): string {
  const [given = ""] = keys as readonly string[];
  const near = didYouMean(given, known);
  return near === "" ? ` Known: ${known.join(", ")}.` : near;
}

const otherFieldShape = z.custom<never>(
  () => false,
  "expected a field's name, { field, toResource, toRecord } or reference(...)",
);
const translatedFieldShape = settings({ field: name, toResource: call, toRecord: call });
const referenceShape = settings({ kind: z.literal("reference"), field: name, table: name });

function fieldShapeFor(field: unknown): z.ZodType {
  if (typeof field === "string") return name;
  if (typeof field !== "object" || field === null || Array.isArray(field)) return otherFieldShape;
  return "kind" in field ? referenceShape : translatedFieldShape;
}

const syncShape = settings({
  scope: name.optional(),
  parent: settings({ column: name, record: name }).optional(),
  fields: named,
  conflict: z.enum(["field", "record", "resource-wins", "record-wins"]).optional(),
  initial: z.enum(["resource", "record", "newer"]).optional(),
  pairBy: z
    .union([name, z.array(name), settings({ externalId: name })], {
      error: "expected a column, columns or { externalId: COLUMN }",
    })
    .optional(),
  onResourceDeleted: z.enum(["delete", "archive", "detach"]).optional(),
  onRecordDeleted: z.enum(["delete", "close", "detach"]).optional(),
  softDelete: name.optional(),
  modifiedAt: name.optional(),
  author: name.optional(),
  defaults: z.union([call, named], { error: "expected values or a function" }).optional(),
  derive: call.optional(),
  apply: call.optional(),
  afterCommit: call.optional(),
});

const recordShape = settings({
  key: name.optional(),
  sync: named.optional(),
  journal: z.boolean().optional(),
  columns: z.array(name).optional(),
});

const integrationShape = z.looseObject({
  resources: z.array(
    z.looseObject({
      type: name,
      parent: name.nullable(),
      fields: z.record(z.string(), z.looseObject({ kind: name, writable: z.boolean() })),
    }),
  ),
  environment: z.array(name).optional(),
  verify: call,
  translate: call,
  connect: call,
});

const identitiesShape = settings({
  table: name,
  key: name.optional(),
  login: z.record(z.string(), name),
  unknown: z.enum(["null", "placeholder", "error"]).optional(),
  placeholder: call.optional(),
  attribution: call.optional(),
  token: call.optional(),
});

const rootShape = settings({
  database: z
    .union([z.string(), z.custom<object>((given) => typeof given === "object" && given !== null)], {
      error: "expected a URL, a pg.Pool or a PGlite",
    })
    .optional(),
  integrations: named,
  identities: identitiesShape.optional(),
  timeZone: z.string().optional(),
  safety: settings({
    quarantine: off
      .or(settings({ flips: amount.optional(), minutes: amount.optional() }))
      .optional(),
    blastRadius: off
      .or(settings({ records: amount.optional(), share: amount.optional() }))
      .optional(),
    writePause: off.or(amount).optional(),
    readFreshness: off.or(amount).optional(),
  }).optional(),
  redelivery: off.or(settings({ minutes: amount.optional() })).optional(),
  instance: z.string().optional(),
  records: named,
});

/**
 * Returns the configuration unchanged.
 *
 * @throws ConfigError `unknown_setting` if there is no such setting; `malformed_config` if it has another type.
 */
export function checkShape(given: unknown): AnyConfig {
  const { integrations, records } = read(rootShape, given, "");
  for (const [at, integration] of Object.entries(integrations)) {
    read(integrationShape, integration, pathTo("integrations", at));
  }
  for (const [recordType, record] of Object.entries(records)) {
    const path = pathTo("records", recordType);
    const { sync = {} } = read(recordShape, record, path);
    for (const [resource, mapping] of Object.entries(sync)) {
      const within = `${path}.sync["${resource}"]`;
      const { fields } = read(syncShape, mapping, within);
      for (const [column, field] of Object.entries(fields)) {
        read(fieldShapeFor(field), field, pathTo(`${within}.fields`, column));
      }
    }
  }
  // A cast: each part was checked against its shape, but the types of functions cannot be checked.
  return given as AnyConfig;
}

function read<Shape extends z.ZodType>(shape: Shape, given: unknown, path: string): z.infer<Shape> {
  const result = shape.safeParse(given);
  if (result.success) return result.data;
  const { issues } = result.error;
  // A mistyped name explains the one that is missing, so it comes first.
  const unknown = findUnknown(issues);
  if (unknown !== null) {
    throw new ConfigError(
      "unknown_setting",
      join(path, unknown.path),
      unknown.message,
      "Correct the name, or remove the setting: nothing reads it.",
    );
  }
  const [issue] = issues;
  const at = join(path, issue?.path ?? []);
  throw malformed(at === "" ? "default export" : at, issue?.message ?? "it cannot be read");
}

interface UnknownSetting {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The first setting that does not exist, also within a setting that may have several forms. */
function findUnknown(issues: readonly z.core.$ZodIssue[]): UnknownSetting | null {
  for (const issue of issues) {
    if (issue.code === "unrecognized_keys") {
      const [key = ""] = issue.keys;
      return {
        path: [...issue.path, isName(key) ? key : JSON.stringify(key)],
        message: issue.message,
      };
    }
    if (issue.code !== "invalid_union") continue;
    const within = findUnknown(issue.errors.flat());
    if (within !== null) return { ...within, path: [...issue.path, ...within.path] };
  }
  return null;
}

function join(path: string, within: readonly PropertyKey[]): string {
  return [path, ...within.map(String)].filter((part) => part !== "").join(".");
}

function pathTo(parent: string, key: string): string {
  if (!isName(key)) throw malformed(parent, `${JSON.stringify(key)} is not a name`);
  return `${parent}.${key}`;
}

function malformed(path: string, message: string): ConfigError {
  return new ConfigError(
    "malformed_config",
    path,
    message.charAt(0).toLowerCase() + message.slice(1),
    "Correct the setting. In a tandem.config.ts, defineConfig shows the type of each setting.",
  );
}

function isName(text: string): boolean {
  return text !== "" && text !== "__proto__" && !text.includes("\0") && text.isWellFormed();
}
