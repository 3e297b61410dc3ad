/** Whether a store tells that code and mappings fit what was migrated. */
import { describe, expect, it } from "vitest";
import { type OpenedStore, type StoreOptions, tasks } from "./opened-store.ts";

export function misfitConformance(open: (options?: StoreOptions) => Promise<OpenedStore>): void {
  describe("code and mappings", () => {
    it("fit the database that they were migrated to, also when others are migrated in their place", async () => {
      const { store } = await open();
      expect(await store.schemaMismatch()).toBeNull();
      await store.migrate([{ ...tasks, conflict: "record" }]);
      expect(await store.schemaMismatch()).toBeNull();
    });
  });
}
