/**
 * The package's dependencies run on the oldest Node that it promises. A consumer's npm resolves ranges
 * for itself, and knows nothing of our overrides: only what we depend on exactly is what they get.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const lockShape = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dev: z.boolean().optional(),
      engines: z.record(z.string(), z.string()).optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
const manifestShape = z.object({
  engines: z.object({ node: z.string() }),
  dependencies: z.record(z.string(), z.string()),
  overrides: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
});

const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
const { packages } = lockShape.parse(read("package-lock.json"));
const manifest = manifestShape.parse(read("package.json"));
const brought = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
const [, promised = ""] = /^>=\s*(\d+\.\d+)/.exec(manifest.engines.node) ?? [];
const oldest = `${promised}.0`;

/** The version that an override gives a package wherever it is asked for; one below a named package counts only there. */
function overriddenTo(name: string): string | null {
  const override = Object.hasOwn(manifest.overrides, name) ? manifest.overrides[name] : null;
  return typeof override === "string" ? override : null;
}

/** Whether a version is in a range of `>=`, `<`, `^`, `~`, plain numbers, and alternatives of these. */
function isWithin(version: string, range: string): boolean {
  const at = order(version);
  return range.split("||").some((alternative) => {
    const comparators = alternative.matchAll(
      /(>=|<=|[<>^~=]?)\s*v?(\d+(?:\.\d+){0,2})(?:\.[x*])*/g,
    );
    return [...comparators].every(([, sign = "", text = ""]) => {
      const [bound, parts] = [order(text), text.split(".").length];
      if (sign === ">=") return at >= bound;
      if (sign === ">") return at > bound;
      if (sign === "<") return at < bound;
      if (sign === "<=") return at <= bound;
      const width = sign === "^" || parts === 1 ? 1e6 : sign === "~" || parts === 2 ? 1e3 : 1;
      const from = Math.floor(bound / width) * width;
      return at >= bound && at < from + width;
    });
  });
}

function order(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1e6 + minor * 1e3 + patch;
}

it.each([
  ["20.19.0", ">=20", true],
  ["20.19.0", ">= 20.19.0", true],
  ["20.19.0", ">=22", false],
  ["20.19.0", "^18.0.0 || ^20.0.0 || >= 21", true],
  ["20.19.0", "^18 || >=22", false],
  ["20.19.0", ">=14 <20", false],
  ["20.19.0", "*", true],
  ["20.19.0", "20.x", true],
  ["2.1.0", "^2.0.0", true],
  ["2.1.0", "^3.0.0", false],
])("%s within %s: %s", (version, range, expected) => {
  expect(isWithin(version, range)).toBe(expected);
});

describe("the packages that a consumer installs", () => {
  it("asks for no newer Node than the package itself", () => {
    expect(oldest).toBe("20.19.0");
    const demanding = brought.filter(([, { engines }]) => !isWithin(oldest, engines?.node ?? "*"));
    expect(demanding.map(([path, { engines }]) => `${path}: node ${engines?.node ?? ""}`)).toEqual(
      [],
    );
  });

  it("is what they ask for themselves, and not what an override made of it here", () => {
    const wrong = brought.flatMap(([path, { dependencies = {} }]) =>
      Object.entries(dependencies)
        .filter(([name, range]) => {
          const override = overriddenTo(name);
          return override !== null && !isWithin(override, range);
        })
        .map(([name, range]) => `${path} asks for ${name} ${range}`),
    );
    expect(wrong).toEqual([]);
  });

  it("is named exactly where we depend on it", () => {
    const ranges = Object.values(manifest.dependencies);
    expect(ranges.filter((range) => !/^\d+\.\d+\.\d+$/.test(range))).toEqual([]);
  });
});
