/** Tasks of ours whose issue is there, or was. */
import type { SampleTandem } from "./sample-tandem.ts";

/** A task with its issue, made five seconds ago. */
export async function givenSentTask(
  app: SampleTandem,
  values: { readonly title?: string; readonly status?: string } = {},
): Promise<string> {
  const id = await app.addTask({ title: "Here", ...values });
  await app.settle();
  await app.advance(5_000);
  app.github.clearRequests();
  return id;
}

/** The same, deleted softly, so that its issue was closed five seconds ago. */
export async function givenClosedWithTask(
  app: SampleTandem,
  values: { readonly status?: string } = {},
): Promise<string> {
  const id = await givenSentTask(app, values);
  await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
  await app.settle();
  await app.advance(5_000);
  return id;
}
