/**
 * The form of a configuration: each setting must have its type, or it is refused with its path. `compile-config.ts`
 * then checks the values.
 *
 * TypeScript checks most of it while the user writes it. A configuration in JavaScript, or a computed one, has
 * no other check.
 */
import { z } from "zod";
import { type AnyConfig, ConfigError } from "./config.ts";

/** Postgres refuses an empty name and a NUL in a name; `__proto__` cannot be a property's name. */
const name = z
  .string("expected a name in quotes")
  .refine(isName, { error: "is not a name of a table, column or field" });
const call = z.custom<object>((given) => typeof given === "function", "expected a function");
/** `compile-config.ts` checks the bounds, and names them. */
const amount = z.custom<number>((given) => typeof given === "number", "expected a number");
const off = z.literal(false);

const fieldShape = z.union(
  [
    name,
    z.looseObject({
      kind: z.literal("reference"),
      field: name,
      table: name,
      toResource: z.undefined().optional(),
    }),
    z.looseObject({
      kind: z.undefined().optional(),
      field: name,
      toResource: call,
      toRecord: call,
    }),
  ],
  { error: "expected a field's name, { field, toResource, toRecord } or reference(...)" },
);

const syncShape = z.looseObject({
  scope: name.optional(),
  parent: z.looseObject({ column: name, record: name }).optional(),
  fields: z.looseObject({}),
  conflict: z.enum(["field", "record", "resource-wins", "record-wins"]).optional(),
  initial: z.enum(["resource", "record", "newer"]).optional(),
  pairBy: z
    .union([name, z.array(name), z.looseObject({ externalId: name })], {
      error: "expected a column, columns or { externalId: COLUMN }",
    })
    .optional(),
  onResourceDeleted: z.enum(["delete", "archive", "detach"]).optional(),
  onRecordDeleted: z.enum(["delete", "close", "detach"]).optional(),
  softDelete: name.optional(),
  modifiedAt: name.optional(),
  author: name.optional(),
  defaults: z
    .union([call, z.looseObject({})], { error: "expected values or a function" })
    .optional(),
  derive: call.optional(),
  apply: call.optional(),
  afterCommit: call.optional(),
});

const recordShape = z.looseObject({
  key: name.optional(),
  sync: z.looseObject({}).optional(),
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

const identitiesShape = z.looseObject({
  table: name,
  key: name.optional(),
  login: z.record(z.string(), name),
  unknown: z.enum(["null", "placeholder", "error"]).optional(),
  placeholder: call.optional(),
  attribution: call.optional(),
  token: call.optional(),
});

const rootShape = z.looseObject({
  database: z
    .union([z.string(), z.custom<object>((given) => typeof given === "object" && given !== null)], {
      error: "expected a URL, a pg.Pool or a PGlite",
    })
    .optional(),
  integrations: z.looseObject({}),
  identities: identitiesShape.optional(),
  timeZone: z.string().optional(),
  safety: z
    .looseObject({
      quarantine: off
        .or(z.looseObject({ flips: amount.optional(), minutes: amount.optional() }))
        .optional(),
      blastRadius: off
        .or(z.looseObject({ records: amount.optional(), share: amount.optional() }))
        .optional(),
      writePause: off.or(amount).optional(),
      readFreshness: off.or(amount).optional(),
    })
    .optional(),
  redelivery: off.or(z.looseObject({ minutes: amount.optional() })).optional(),
  instance: z.string().optional(),
  records: z.looseObject({}),
});

/**
 * Returns the configuration unchanged.
 *
 * @throws ConfigError `malformed_config` if a setting has another type.
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
        read(fieldShape, field, pathTo(`${within}.fields`, column));
      }
    }
  }
  // A cast: each part was checked against its shape, but the types of functions cannot be checked.
  return given as AnyConfig;
}

function read<Shape extends z.ZodType>(shape: Shape, given: unknown, path: string): z.infer<Shape> {
  const result = shape.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = [path, ...(issue?.path ?? []).map(String)].filter((part) => part !== "").join(".");
  throw malformed(at === "" ? "default export" : at, issue?.message ?? "it cannot be read");
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
