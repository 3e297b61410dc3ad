/** GitHub's own description of its answers and webhooks, as checks that say what is wrong. */
import { createRequire } from "node:module";
import { Ajv, type ValidateFunction } from "ajv";
import ajvFormats from "ajv-formats";

type SchemaNode = Record<string, unknown>;

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: SchemaNode }>
  >;
}

const require = createRequire(import.meta.url);
const described = require("@octokit/openapi/generated/api.github.com.json") as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: SchemaNode;
    readonly responses: Readonly<Record<string, { readonly content?: SchemaNode }>>;
  };
};

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
ajvFormats.default(ajv);
ajv.addSchema(
  { $id: "openapi", components: { schemas: asJsonSchema(described.components.schemas) } },
  "openapi",
);
// Without its root, which is one of all webhooks and takes seconds to compile.
const { definitions } = require("@octokit/webhooks-schemas") as {
  readonly definitions: SchemaNode;
};
ajv.addSchema({ $id: "webhooks", definitions }, "webhooks");
const compiled = new Map<string, ValidateFunction>();

/**
 * The errors of an answer, by the description of its route. A correct answer gives an empty list; a
 * status that the description does not name for this route is an error too.
 *
 * @example expect(answerErrors("get", "/repos/{owner}/{repo}/issues", 200, body)).toEqual([])
 */
export function answerErrors(
  method: string,
  route: string,
  status: number,
  body: unknown,
): string[] {
  const operation = described.paths[route]?.[method];
  if (operation === undefined) return [`${method} ${route} is not described`];
  const response = operation.responses[String(status)];
  if (response === undefined) return [`${method} ${route} does not answer ${String(status)}`];
  const name = response.$ref?.split("/").at(-1) ?? "";
  const content = response.content ?? described.components.responses[name]?.content;
  const media = content?.["application/json"] as { schema?: SchemaNode } | undefined;
  if (media?.schema === undefined)
    return body === null ? [] : ["has a body, but none is described"];
  return errorsOf(`${method} ${route} ${String(status)}`, media.schema, body);
}

/** The errors of a body, by a named component of the description: `basic-error`. */
export function componentErrors(name: string, body: unknown): string[] {
  return errorsOf(`component ${name}`, { $ref: `#/components/schemas/${name}` }, body);
}

/** The errors of a webhook's payload: `issues$opened`, `ping$event`. */
export function webhookErrors(definition: string, payload: unknown): string[] {
  const check = ajv.getSchema(`webhooks#/definitions/${definition}`);
  if (check === undefined) return [`no webhook ${definition} is described`];
  return run(check, payload);
}

function errorsOf(key: string, schema: SchemaNode, body: unknown): string[] {
  let check = compiled.get(key);
  if (check === undefined) {
    check = ajv.compile(withAbsoluteReferences(asJsonSchema(schema)) as SchemaNode);
    compiled.set(key, check);
  }
  return run(check, body);
}

function run(check: ValidateFunction, body: unknown): string[] {
  if (check(body)) return [];
  return (check.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
}

/** OpenAPI 3.0 says `nullable: true` where JSON Schema says that the type may be `null`. */
function asJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(asJsonSchema);
  if (typeof node !== "object" || node === null) return node;
  const { nullable, discriminator: _, example: __, examples: ___, ...rest } = node as SchemaNode;
  const plain = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, asJsonSchema(value)]),
  );
  return nullable === true ? { anyOf: [plain, { type: "null" }] } : plain;
}

function withAbsoluteReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withAbsoluteReferences);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === "$ref" && typeof value === "string" && value.startsWith("#")
        ? `openapi${value}`
        : withAbsoluteReferences(value),
    ]),
  );
}
