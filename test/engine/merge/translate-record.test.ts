/** A record in the resource's terms, where the mapping's own code fails. */
import { describe, expect, it } from "vitest";
import {
  contentOrNull,
  MappingError,
  recordContent,
} from "../../../src/engine/merge/translate-record.ts";
import type { Json } from "../../../src/model/content.ts";
import { aMapping, plainField } from "../builders.ts";

const fault = new Error("no such status");
const failing = aMapping({
  fields: [
    plainField("title"),
    {
      ...plainField("status", "state"),
      toResource: (): Json => {
        throw fault;
      },
    },
  ],
});

describe("a mapping that throws", () => {
  it("names the column and the field, and keeps what the app's code has thrown", () => {
    const thrown = (): unknown => {
      try {
        return recordContent(failing, { title: "A", status: "odd" });
      } catch (error) {
        return error;
      }
    };
    expect(thrown()).toBeInstanceOf(MappingError);
    expect(thrown()).toMatchObject({
      message: "the mapping of status to state failed",
      column: "status",
      field: "state",
      cause: fault,
    });
  });

  it("leaves what is only looked at without content", () => {
    expect(contentOrNull(failing, { title: "A", status: "odd" })).toBeNull();
    expect(contentOrNull(aMapping(), { title: "A" })).toEqual({ title: "A" });
  });

  it("does so too where it gives a value that contains itself", () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    expect(contentOrNull(aMapping(), { title: "A", state: endless })).toBeNull();
  });
});
